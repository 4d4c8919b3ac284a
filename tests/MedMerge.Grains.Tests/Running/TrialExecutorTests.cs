using System.Collections.Concurrent;
using MedMerge.Experiments.Planning;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Running;
using MedMerge.Grains.Work;
using MedMerge.Storage;
using MedMerge.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orleans.Runtime.Placement;

namespace MedMerge.Grains.Tests.Running;

/// <summary>Where a trial's stages are started.</summary>
public sealed class TrialExecutorTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-executor-").FullName;
    private readonly FakeMembership _membership = new();
    private readonly ConcurrentBag<(string Stage, string Node)> _failures = [];
    private readonly ConcurrentQueue<(string Stage, string? Node)> _started = [];
    private readonly ConcurrentDictionary<string, int> _work = new();
    private string? _failing;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Stages_start_on_the_least_busy_node_that_has_the_device()
    {
        var (busy, idle) = (_membership.Join(1), _membership.Join(2));
        _work[busy] = 2;
        var computed = await RunAsync();
        Assert.NotEmpty(_started);
        Assert.Equal(_started.Select(stage => new ComputedStage(stage.Stage, Seconds: 2)).ToHashSet(), computed.ToHashSet());
        Assert.All(_started, stage => Assert.Equal(idle, stage.Node));
    }

    [Fact]
    public async Task A_stage_that_failed_on_a_node_starts_on_another_in_the_next_attempt()
    {
        foreach (var number in Enumerable.Range(1, 3)) _membership.Join(number);
        await RunAsync();
        (_failing, _) = _started.First();
        _started.Clear();

        for (var attempt = 0; attempt < 3; attempt++) await Assert.ThrowsAsync<WorkFailedException>(RunAsync);

        var nodes = _started.Where(stage => stage.Stage == _failing).Select(stage => stage.Node).ToList();
        Assert.Equal(3, nodes.Distinct().Count());
    }

    private async Task<IReadOnlyList<ComputedStage>> RunAsync()
    {
        var objects = new FolderObjectStore(_folder);
        var artefacts = new ArtefactStore(objects);
        var plan = new SpecificationBuilder { Methods = "[scratch]" }.BuildPlan();
        var submission = await Submission.WriteAsync(plan, PlanSummary.Of(plan), InputFile.Read, artefacts, Cancellation);
        var executor = new TrialExecutor(
            new TrialRequest(submission.Specification, Number: 1, Attempt: 1, Trace: null),
            "sweep/1",
            new PlanCache(artefacts),
            _membership.View,
            new StageStore(objects),
            failures: null!, // nothing unexpected happens
            FakeGrains.Create(Find),
            new FakeTimeProvider(),
            NullLogger<TrialExecutor>.Instance)
        {
            IsGivenUp = () => true,
            Failures = _failures,
        };
        await executor.RunAsync(Cancellation);
        return executor.Computed;
    }

    private object Find(Type type, string key) =>
        type == typeof(INodeGrain) ? new FakeNode(_work.GetValueOrDefault(key)) : new FakeStage(key.Split('/')[1], this);

    private sealed class FakeNode(int work) : INodeGrain
    {
        public Task<NodeState> StateAsync(string except, IReadOnlyList<string> stages) => Task.FromResult(new NodeState(work, Held: 0));
    }

    private sealed class FakeStage(string key, TrialExecutorTests test) : IStageGrain
    {
        public Task<StageStatus> RunAsync(StageRequest request)
        {
            var hint = RequestContext.Get(IPlacementDirector.PlacementHintKey) as SiloAddress;
            test._started.Enqueue((key, hint?.ToParsableString()));
            var failure = new Failure(FailureKind.Transient, "why");
            return Task.FromResult(key == test._failing
                ? new StageStatus(WorkState.Failed, [], null, failure)
                : new StageStatus(WorkState.Done, [], null, null, Seconds: 2));
        }

        public Task ReleaseAsync(string holder) => Task.CompletedTask;
    }
}
