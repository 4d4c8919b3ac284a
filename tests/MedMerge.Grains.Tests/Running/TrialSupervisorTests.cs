using MedMerge.Grains.Running;
using MedMerge.Grains.Work;
using MedMerge.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace MedMerge.Grains.Tests.Running;

/// <summary>Nodes die under a trial: what is counted, and what follows.</summary>
public sealed class TrialSupervisorTests : IAsyncLifetime
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private SweepOfFakes _sweep = null!;
    private SweepState _state = null!;
    private double _seconds;
    private StoredProgress _progress = new(Outputs: 0, Checkpoints: 0);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private FakeTrial Trial => _sweep.Trial(1);

    private TrialRecord Record => _state.Trial(1);

    public async ValueTask InitializeAsync()
    {
        _sweep = await SweepOfFakes.CreateAsync();
        _state = await _sweep.LoadStateAsync();
        await _state.WriteAsync(record => record.Planned(_sweep.Plan.Trials.Count, SweepLimits.None));
    }

    public ValueTask DisposeAsync()
    {
        _sweep.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task The_time_that_devices_took_is_in_the_record_with_the_end_of_an_attempt()
    {
        _seconds = 1.5;
        var run = RunAsync();
        await Trial.AnswerAsync(WorkState.Failed, failure: new Failure(FailureKind.Transient, "why"));
        while (!Trial.Calls.PendingAsync().IsCompleted)
        {
            _sweep.Time.Advance(RetryPolicy.BackOff(1));
            await Task.Yield();
        }
        await Trial.AnswerAsync(WorkState.Done);
        await run.WaitAsync(Deadline, Cancellation);
        Assert.Equal(3, (await _sweep.RecordAsync()).DeviceSeconds);
    }

    [Fact]
    public async Task A_node_whose_death_was_counted_does_not_count_again_when_a_late_status_names_it()
    {
        var run = RunAsync();
        var (first, second) = (_sweep.Membership.Join(1), _sweep.Membership.Join(2));
        await Trial.AnswerAsync(WorkState.Running, [first]);
        await Trial.AnswerAsync(WorkState.Running, [first], meanwhile: () => _sweep.Membership.Kill(first));
        await Trial.AnswerAsync(WorkState.Running, [first, second]);
        await Trial.AnswerAsync(WorkState.Running, [second]);
        await Trial.AnswerAsync(WorkState.Done, meanwhile: () => Assert.Equal(1, Record.NodeDeaths));
        await run.WaitAsync(Deadline, Cancellation);
        Assert.Equal(WorkState.Done, Record.State);
    }

    [Fact]
    public async Task A_trial_that_makes_progress_survives_any_number_of_its_nodes()
    {
        var run = RunAsync();
        for (var node = 1; node <= 2 * RetryPolicy.MaxNodeDeaths; node++)
        {
            await DieAsync(node);
            _progress = _progress with { Checkpoints = _progress.Checkpoints + 1 };
        }
        await Trial.AnswerAsync(WorkState.Done);
        await run.WaitAsync(Deadline, Cancellation);
        Assert.Equal((WorkState.Done, 1), (Record.State, Record.NodeDeaths));
    }

    [Fact]
    public async Task A_trial_that_makes_no_progress_between_three_deaths_is_quarantined()
    {
        var run = RunAsync();
        for (var node = 1; node <= RetryPolicy.MaxNodeDeaths; node++) await DieAsync(node);
        await run.WaitAsync(Deadline, Cancellation);
        Assert.Equal(WorkState.Quarantined, Record.State);
        Assert.StartsWith("Nodes died 3 times while they ran this trial, and it made no progress", Record.Reason, StringComparison.Ordinal);
        Assert.Equal(1, Trial.Stops);
    }

    /// <summary>A trial's own node, and those of its neighbours, are not to blame for a stage that kills its node.</summary>
    [Fact]
    public async Task The_death_of_a_node_that_runs_none_of_its_stages_does_not_count()
    {
        var run = RunAsync();
        var (own, other) = (_sweep.Membership.Join(1), _sweep.Membership.Join(2));
        await Trial.AnswerAsync(WorkState.Running, [own]);
        await Trial.AnswerAsync(WorkState.Running, [own], meanwhile: () => _sweep.Membership.Kill(other));
        await Trial.AnswerAsync(WorkState.Running, []);
        await Trial.AnswerAsync(WorkState.Running, [], meanwhile: () => _sweep.Membership.Kill(own)); // its stage has moved on
        await Trial.AnswerAsync(WorkState.Done);
        await run.WaitAsync(Deadline, Cancellation);
        Assert.Equal(0, Record.NodeDeaths);
    }

    /// <summary>A node reports the trial, dies, and the trial's next status comes from elsewhere.</summary>
    private async Task DieAsync(int number)
    {
        var node = _sweep.Membership.Join(number);
        await Trial.AnswerAsync(WorkState.Running, [node]);
        await Trial.AnswerAsync(WorkState.Running, [], meanwhile: () => _sweep.Membership.Kill(node));
    }

    private Task RunAsync()
    {
        var supervisor = new TrialSupervisor(
            _sweep.Plan.Trials[0],
            _state,
            Trial,
            _sweep.Membership.View,
            _sweep.Time,
            NullLogger.Instance)
        {
            ReadProgress = _ => Task.FromResult(_progress),
            ReadScore = (_, _) => Task.FromResult<double?>(null),
            OnStatus = _ => { },
            TakeSeconds = () => _seconds,
            IsGivenUp = () => false,
        };
        return supervisor.RunAsync(Cancellation);
    }
}
