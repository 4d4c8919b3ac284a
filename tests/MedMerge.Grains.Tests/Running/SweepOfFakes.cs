using MedMerge.Experiments.Planning;
using MedMerge.Grains.Running;
using MedMerge.Storage;
using MedMerge.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace MedMerge.Grains.Tests.Running;

/// <summary>
/// A sweep whose trials are fakes, over a real store: for interleavings that a cluster shows once in a thousand runs.
/// </summary>
internal sealed class SweepOfFakes : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-fakes-").FullName;
    private readonly SweepRecord _record;

    private SweepOfFakes(Func<IObjectStore, IObjectStore> decorate, SpecificationBuilder specification)
    {
        Objects = new FolderObjectStore(_folder);
        Sweeps = new SweepStore(decorate(Objects));
        Stages = new StageStore(Objects);
        Plan = PlanSummary.Of(specification.BuildPlan());
        _record = SweepRecord.Start("fakes", "specification", ContentHash.Of(Plan.Write()), [], [], Time.GetUtcNow(), trace: null);
    }

    public const string Id = "fakes";

    private static readonly TrialStatus Running = new(WorkState.Running, [], null, [], [], null);

    public IObjectStore Objects { get; }

    public SweepStore Sweeps { get; }

    public StageStore Stages { get; }

    public PlanSummary Plan { get; }

    public FakeTimeProvider Time { get; } = new();

    public FakeMembership Membership { get; } = new();

    public FakeTrials Trials { get; } = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A submitted sweep that does not run yet.</summary>
    /// <param name="decorate">What stands between the sweep and its record; null for nothing.</param>
    public static async Task<SweepOfFakes> CreateAsync(
        Func<IObjectStore, IObjectStore>? decorate = null,
        SpecificationBuilder? specification = null)
    {
        var sweep = new SweepOfFakes(decorate ?? (objects => objects), specification ?? new() { Methods = "[scratch, average]" });
        await new ArtefactStore(sweep.Objects).WriteAsync(sweep.Plan.Write(), Cancellation);
        await new SweepStore(sweep.Objects).TryCreateAsync(Id, sweep._record, Cancellation);
        return sweep;
    }

    /// <summary>A trial's fake.</summary>
    /// <param name="number">From 1.</param>
    public FakeTrial Trial(int number) => Trials[Id, number];

    /// <summary>A node runs both of its trials to their results.</summary>
    public async Task<SweepController> RunToEndAsync()
    {
        Membership.Join(1);
        var controller = await LoadAsync();
        await controller.EnsureRunningAsync();
        await Trial(1).AnswerAsync(WorkState.Done);
        await Trial(2).AnswerAsync(WorkState.Done);
        while (!(await controller.StatusAsync(-1)).HasEnded) await Task.Yield();
        return controller;
    }

    /// <summary>The sweep as one of its nodes loads it.</summary>
    /// <param name="ownership">Of the node's cluster; null for the usual one.</param>
    public async Task<SweepController> LoadAsync(SweepOwnership? ownership = null)
    {
        var state = await LoadStateAsync();
        var activity = new SweepActivity(Time);
        var plans = new PlanSummaries(new ArtefactStore(Objects));
        var runner = new SweepRunner(
            state,
            activity,
            Sweeps,
            plans,
            Stages,
            Membership.View,
            new LaneShares(Membership.View, Trials.Factory, Time),
            Trials.Factory,
            Time,
            NullLogger.Instance);
        return new SweepController(state, activity, runner, ownership ?? OwnershipOf("cluster"), Sweeps, Stages);
    }

    public SweepOwnership OwnershipOf(string cluster) => new(new SweepOwner(cluster), Time);

    public async Task<SweepState> LoadStateAsync()
    {
        var (record, etag) = (await Sweeps.FindAsync(Id, Cancellation))!.Value;
        return new SweepState(Id, record, etag, Sweeps, Time);
    }

    /// <summary>Does something, a stop above all, while a trial runs and keeps answering so.</summary>
    public async Task WhileRunningAsync(int number, Func<Task> work)
    {
        var calls = Trial(number).Calls;
        await calls.PendingAsync();
        var done = work();
        while (await Task.WhenAny(done, calls.PendingAsync()) != done) (await calls.NextAsync()).Answer.SetResult(Running);
        await done;
    }

    /// <summary>The record in the store.</summary>
    public async Task<SweepRecord> RecordAsync() => (await new SweepStore(Objects).FindAsync(Id, Cancellation))!.Value.Record;

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
