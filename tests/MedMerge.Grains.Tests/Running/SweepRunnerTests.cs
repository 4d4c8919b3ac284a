using MedMerge.Grains.Work;
using MedMerge.Testing;

namespace MedMerge.Grains.Tests.Running;

/// <summary>The store fails under a running sweep.</summary>
public sealed class SweepRunnerTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_write_that_fails_interrupts_its_trial_and_no_other()
    {
        PausingObjectStore store = null!;
        using var sweep = await SweepOfFakes.CreateAsync(objects => store = new PausingObjectStore(objects));
        sweep.Membership.Join(1);
        sweep.Membership.Join(2);
        var controller = await sweep.LoadAsync();
        await controller.EnsureRunningAsync();
        await sweep.Trial(2).AnswerAsync(WorkState.Running);
        var ending = await sweep.Trial(1).Calls.NextAsync();
        await sweep.Trial(2).Calls.PendingAsync(); // both have begun, and nobody writes
        var write = store.StopAt($"replace sweeps/{SweepOfFakes.Id}");

        ending.Answer.SetResult(new TrialStatus(WorkState.Done, [], null, [], [], null));
        await write.Reached.WaitAsync(Deadline, Cancellation);
        write.Fail(new IOException("The store is out of reach."));

        var again = sweep.Trial(1).Calls.NextAsync();
        while (!again.IsCompleted)
        {
            sweep.Time.Advance(RetryPolicy.BackOff(1));
            await Task.Yield();
        }
        var call = await again;
        Assert.Equal(1, call.Request.Attempt);
        call.Answer.SetResult(new TrialStatus(WorkState.Done, [], null, [], [], null));
        await sweep.Trial(2).AnswerAsync(WorkState.Done); // asked all the while, not anew
        while (!(await controller.StatusAsync(-1)).HasEnded) await Task.Yield();
        Assert.Equal((0, 0), (sweep.Trial(1).Stops, sweep.Trial(2).Stops));
        Assert.All((await sweep.RecordAsync()).Trials, trial => Assert.Equal((WorkState.Done, 1), (trial.State, trial.Attempt)));
    }
}
