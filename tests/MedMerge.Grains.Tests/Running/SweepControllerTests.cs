using MedMerge.Experiments.Planning;
using MedMerge.Storage;
using MedMerge.Testing;

namespace MedMerge.Grains.Tests.Running;

/// <summary>Users' actions at the worst moment.</summary>
public sealed class SweepControllerTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly Failure Permanent = new(FailureKind.Permanent, "why");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>
    /// The loop has written that the sweep is done and is about to remove its mark when the user resumes it for the sake
    /// of a failed trial.
    /// </summary>
    [Fact]
    public async Task A_sweep_that_is_resumed_while_it_ends_runs_and_stays_marked()
    {
        PausingObjectStore store = null!;
        using var sweep = await SweepOfFakes.CreateAsync(objects => store = new PausingObjectStore(objects));
        sweep.Membership.Join(1);
        sweep.Membership.Join(2);
        var controller = await sweep.LoadAsync();
        var unmark = store.StopAt($"delete active/{SweepOfFakes.Id}");
        await controller.EnsureRunningAsync();
        await sweep.Trial(1).AnswerAsync(WorkState.Done);
        await sweep.Trial(2).AnswerAsync(WorkState.Failed, failure: Permanent);
        await unmark.Reached.WaitAsync(Deadline, Cancellation);

        var resume = controller.ChangeAsync(SweepAction.Resume);
        unmark.Release();
        await resume.WaitAsync(Deadline, Cancellation);
        await controller.EnsureRunningAsync();

        Assert.Equal(2, (await sweep.Trial(2).AnswerAsync(WorkState.Running)).Attempt); // it runs
        Assert.Equal([SweepOfFakes.Id], await sweep.Sweeps.ActiveAsync(Cancellation));
        Assert.Equal(WorkState.Running, (await sweep.RecordAsync()).State);
        await sweep.Trial(2).AnswerAsync(WorkState.Done);
        await controller.LeaveAsync();
    }

    /// <summary>Whoever submits a sweep may steer it at once; its loop has not written how many trials there are.</summary>
    [Fact]
    public async Task A_sweep_that_has_not_begun_is_steered()
    {
        using var sweep = await SweepOfFakes.CreateAsync(specification: new() { Methods = "[scratch, average]", Parallel = 1 });
        var controller = await sweep.LoadAsync();
        Assert.Equal(1, (await controller.StatusAsync(-1)).Limits.Parallel);

        await controller.SkipAsync(2);
        await controller.RetryAsync(new TrialChoice([1]));
        var refused = await Assert.ThrowsAsync<ArgumentException>(() => controller.SkipAsync(3));

        Assert.Equal("There is no trial 3; the sweep has 2.", refused.Message);
        var record = await sweep.RecordAsync();
        Assert.Equal([WorkState.Waiting, WorkState.Cancelled], [record.Trials.Get(1).State, record.Trials.Get(2).State]);
        Assert.Equal(1, record.Limits?.Parallel);
    }

    [Theory]
    [InlineData(SweepAction.Pause, WorkState.Paused)]
    [InlineData(SweepAction.Cancel, WorkState.Cancelled)]
    public async Task Repair_does_not_start_a_sweep_that_its_user_has_stopped(SweepAction action, WorkState state)
    {
        using var sweep = await SweepOfFakes.CreateAsync();
        sweep.Membership.Join(1);
        var controller = await sweep.LoadAsync();
        await controller.EnsureRunningAsync();
        await sweep.Trial(1).AnswerAsync(WorkState.Done);
        await sweep.WhileRunningAsync(2, () => controller.ChangeAsync(action));

        await controller.RepairAsync(sweep.Plan.Trials[0].Predictions);
        await controller.EnsureRunningAsync();

        var record = await sweep.RecordAsync();
        Assert.Equal((state, WorkState.Waiting), (record.State, record.Trials[0].State));
        Assert.Empty(await sweep.Sweeps.ActiveAsync(Cancellation));
    }

    [Fact]
    public async Task Repair_runs_a_trial_of_a_sweep_that_was_done_again()
    {
        using var sweep = await SweepOfFakes.CreateAsync();
        var controller = await sweep.RunToEndAsync();

        await controller.RepairAsync(sweep.Plan.Trials[0].Predictions);
        await controller.EnsureRunningAsync();

        Assert.Equal(2, (await sweep.Trial(1).AnswerAsync(WorkState.Done)).Attempt);
        Assert.Equal(1, (await sweep.RecordAsync()).Trials[1].Attempt);
        await controller.LeaveAsync();
    }

    /// <summary>A new version of the code may compute some stages otherwise: their keys are others then.</summary>
    [Fact]
    public async Task The_plan_of_another_version_runs_again_what_it_computes_otherwise()
    {
        using var sweep = await SweepOfFakes.CreateAsync();
        var controller = await sweep.RunToEndAsync();
        var first = sweep.Plan.Trials[0];
        var other = sweep.Plan with { Trials = [first with { Predictions = ContentHash.Of("other") }, .. sweep.Plan.Trials.Skip(1)] };
        var plan = await new ArtefactStore(sweep.Objects).WriteAsync(other.Write(), Cancellation);

        await controller.ReplanAsync(plan);
        await controller.EnsureRunningAsync();

        Assert.Equal(2, (await sweep.Trial(1).AnswerAsync(WorkState.Done)).Attempt);
        var record = await sweep.RecordAsync();
        Assert.Equal((plan, 1), (record.Plan, record.Trials[1].Attempt));
        await controller.LeaveAsync();
    }

    /// <summary>
    /// A node that leaves in good order disturbs no more than one that is killed: another continues the sweep before the
    /// leases of its trials expire.
    /// </summary>
    [Fact]
    public async Task Trials_run_on_while_the_sweep_moves_to_another_node()
    {
        using var sweep = await SweepOfFakes.CreateAsync();
        sweep.Membership.Join(1);
        var leaving = await sweep.LoadAsync();
        await leaving.EnsureRunningAsync();
        await sweep.WhileRunningAsync(1, leaving.LeaveAsync);

        var next = await sweep.LoadAsync();
        await next.EnsureRunningAsync();

        Assert.Equal(1, (await sweep.Trial(1).AnswerAsync(WorkState.Running)).Attempt);
        Assert.Equal(0, sweep.Trial(1).Stops);
        await sweep.WhileRunningAsync(1, () => next.ChangeAsync(SweepAction.Pause));
        Assert.Equal(1, sweep.Trial(1).Stops);
    }

    /// <summary>A node that was suspended wakes up and finds that another continues the sweep: those are its trials now.</summary>
    [Fact]
    public async Task A_node_whose_sweep_another_has_continued_stops_no_trial_of_it()
    {
        using var sweep = await SweepOfFakes.CreateAsync();
        var (first, second) = (sweep.Membership.Join(1), sweep.Membership.Join(2));
        var suspended = await sweep.LoadAsync();
        await suspended.EnsureRunningAsync();
        await sweep.Trial(2).AnswerAsync(WorkState.Running);
        await sweep.Trial(1).AnswerAsync(WorkState.Running, [first]);
        var call = await sweep.Trial(1).Calls.NextAsync();
        var other = await sweep.LoadStateAsync();
        await other.WriteAsync(record => record with { });

        call.Answer.SetResult(new TrialStatus(WorkState.Running, [second], null, [], [], null)); // its write fails, and the loop ends
        await sweep.WhileRunningAsync(2, suspended.LeaveAsync);

        Assert.True(suspended.IsStale);
        Assert.Equal((0, 0), (sweep.Trial(1).Stops, sweep.Trial(2).Stops));
    }

    /// <summary>A node may die after it has written the end and before it has removed the mark.</summary>
    [Fact]
    public async Task The_mark_of_an_ended_sweep_is_removed_when_it_is_woken()
    {
        using var sweep = await SweepOfFakes.CreateAsync();
        var controller = await sweep.LoadAsync();
        await controller.RemoveMarkWhereEndedAsync();
        Assert.Equal([SweepOfFakes.Id], await sweep.Sweeps.ActiveAsync(Cancellation));
        var state = await sweep.LoadStateAsync();
        await state.WriteAsync(record => record.Completed());

        controller = await sweep.LoadAsync();
        await controller.RemoveMarkWhereEndedAsync();
        Assert.Empty(await sweep.Sweeps.ActiveAsync(Cancellation));
    }

    [Fact]
    public async Task Failed_trials_of_a_kind_are_tried_again_while_others_run()
    {
        using var sweep = await SweepOfFakes.CreateAsync();
        sweep.Membership.Join(1);
        sweep.Membership.Join(2);
        var controller = await sweep.LoadAsync();
        await controller.EnsureRunningAsync();
        await sweep.Trial(1).AnswerAsync(WorkState.Failed, failure: Permanent);
        await sweep.Trial(2).AnswerAsync(WorkState.Running);
        while ((await controller.StatusAsync(-1)).Counts.FailedPermanent == 0) await Task.Yield();

        await controller.RetryAsync(new TrialChoice([], FailureKind.Transient)); // there is none
        Assert.Equal(1, (await controller.StatusAsync(-1)).Counts.Failed);
        await controller.RetryAsync(new TrialChoice([], FailureKind.Permanent));
        Assert.Equal(2, (await sweep.Trial(1).AnswerAsync(WorkState.Done)).Attempt);
        await sweep.Trial(2).AnswerAsync(WorkState.Done);
        while (!(await controller.StatusAsync(-1)).HasEnded) await Task.Yield();
        Assert.Equal((2, 0), ((await sweep.RecordAsync()).Trials.Counts.Done, sweep.Trial(2).Stops));

        await Assert.ThrowsAsync<ArgumentException>(() => controller.RetryAsync(new TrialChoice([3])));
    }

    [Fact]
    public async Task A_trial_is_skipped_while_it_runs_and_taken_back()
    {
        using var sweep = await SweepOfFakes.CreateAsync();
        sweep.Membership.Join(1);
        sweep.Membership.Join(2);
        var controller = await sweep.LoadAsync();
        await controller.EnsureRunningAsync();
        await sweep.Trial(1).AnswerAsync(WorkState.Running);
        await sweep.WhileRunningAsync(1, () => controller.SkipAsync(1));
        Assert.Equal(1, sweep.Trial(1).Stops);
        await sweep.Trial(2).AnswerAsync(WorkState.Done);
        while (!(await controller.StatusAsync(-1)).HasEnded) await Task.Yield();
        var counts = (await controller.StatusAsync(-1)).Counts;
        Assert.Equal((1, 1, 0), (counts.Done, counts.Cancelled, counts.Failed));

        await controller.RetryAsync(new TrialChoice([1]));
        await controller.EnsureRunningAsync();
        await sweep.Trial(1).AnswerAsync(WorkState.Done);
        while (!(await controller.StatusAsync(-1)).HasEnded) await Task.Yield();
        Assert.Equal(2, (await sweep.RecordAsync()).Trials.Counts.Done);
    }

    [Fact]
    public async Task A_larger_specification_keeps_results_and_runs_what_is_new()
    {
        var small = new SpecificationBuilder { Methods = "[scratch, average]" };
        using var sweep = await SweepOfFakes.CreateAsync(specification: small);
        sweep.Membership.Join(1);
        sweep.Membership.Join(2);
        var controller = await sweep.LoadAsync();
        await controller.EnsureRunningAsync();
        await sweep.Trial(1).AnswerAsync(WorkState.Done);
        await sweep.Trial(2).AnswerAsync(WorkState.Done);
        while (!(await controller.StatusAsync(-1)).HasEnded) await Task.Yield();

        var larger = PlanSummary.Of((small with { Seeds = 2 }).BuildPlan());
        var plan = await new ArtefactStore(sweep.Objects).WriteAsync(larger.Write(), Cancellation);
        await controller.ExtendAsync(new StartSweep("fakes", "larger", plan, []), []);
        await controller.EnsureRunningAsync();

        var status = await controller.StatusAsync(-1);
        Assert.Equal((2, 4), (status.Counts.Done, status.Counts.Total));
        var added = larger.Trials.Where(trial => trial.Seed == 1).ToList();
        foreach (var trial in added) await sweep.Trials[$"fakes/{trial.Number}.1"].AnswerAsync(WorkState.Done);
        while (!(await controller.StatusAsync(-1)).HasEnded) await Task.Yield();
        Assert.Equal(4, (await sweep.RecordAsync()).Trials.Counts.Done);

        var other = PlanSummary.Of((small with { Methods = "[scratch]" }).BuildPlan());
        var lacking = await new ArtefactStore(sweep.Objects).WriteAsync(other.Write(), Cancellation);
        var refused = await Assert.ThrowsAsync<ArgumentException>(
            () => controller.ExtendAsync(new StartSweep("fakes", "other", lacking, []), []));
        Assert.StartsWith("The specification lacks 3 of the sweep's 4 trials", refused.Message, StringComparison.Ordinal);
    }
}
