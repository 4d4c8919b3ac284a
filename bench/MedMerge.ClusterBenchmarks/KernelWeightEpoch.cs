using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Stages;
using MedMerge.Grains;
using MedMerge.Grains.Hosting;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Running;
using MedMerge.Merging;
using MedMerge.Storage;
using MedMerge.Telemetry;
using MedMerge.Tensors;
using MedMerge.Testing;
using MedMerge.Training;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace MedMerge.ClusterBenchmarks;

/// <summary>
/// An epoch of weight learning (ResNet-20, batch 128, 4 shards), in a plain loop and through the grains of one silo.
/// </summary>
internal sealed class KernelWeightEpoch
{
    private static readonly SpecificationBuilder Specification = new()
    {
        Name = "orchestration",
        Width = 1,
        Images = 384,
        Methods = "[medmerge]",
        Threads = Environment.ProcessorCount,
        KernelWeights = "{ epochs: 1000, batchSize: 128, shards: 4 }",
        FineTune = null,
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-bench-").FullName;

    private LocalCluster _cluster = null!;
    private DeviceThread _device = null!;
    private KernelWeightGradientComputer _computer = null!;
    private KernelWeightStage _stage = null!;
    private ICheckpoints _checkpoints = null!;
    private ShardSet _shards = null!;
    private GrainShardWorkers<KernelWeightStep, KernelWeightGradient, double> _sharded = null!;
    private LocalShardWorkers<KernelWeightStep, KernelWeightGradient> _local = null!;
    private StageOutput _probe = null!;

    /// <summary>Prepares the sources in a store, opens the shards on a silo and the same work here.</summary>
    /// <param name="telemetry">As <see cref="LocalCluster"/> takes it.</param>
    public async Task SetupAsync(Action<IHostApplicationBuilder>? telemetry = null)
    {
        var specification = Specification.Read();
        var objects = new FolderObjectStore(_folder);
        var store = new StageStore(objects);
        var plan = Plan.Build(specification);
        var submission = await Submission.WriteAsync(
            plan,
            PlanSummary.Of(plan),
            InputFile.Read,
            new ArtefactStore(objects),
            CancellationToken.None);
        _stage = plan.Trials[0].Stages.OfType<KernelWeightStage>().Single();
        _device = new DeviceThread("cpu", specification.Settings.Threads);
        var runner = new StageRunner(store, _device, (location, kind, _) => Task.FromResult(InputFile.Read(location, kind)));
        var inputs = new List<StageOutput>();
        foreach (var input in _stage.Inputs) inputs.Add(await runner.OutputAsync(input, (_, _) => { }, CancellationToken.None));
        _probe = inputs[^1];
        _computer = await _device.RunAsync(() => _stage.Open(inputs, _device.Device, memoryLimit: null), CancellationToken.None);
        _local = new LocalShardWorkers<KernelWeightStep, KernelWeightGradient>(_device, _computer, _stage.Learning.Shards);

        _cluster = await LocalCluster.StartAsync(objects, "cpu", log: false, CancellationToken.None, telemetry);
        _shards = new ShardSet(
            new ShardedWork(_stage.Key, _stage.Target.Device, _stage.Shards, Inputs: []),
            new StageRequest(submission.Specification, Trial: 1, Holder: "bench", Attempt: 1, Trace: null),
            _cluster.Grains,
            _cluster.View,
            new NodeOptions(),
            TimeProvider.System,
            NullLogger.Instance);
        await _shards.OpenAsync(CancellationToken.None);
        _sharded = new GrainShardWorkers<KernelWeightStep, KernelWeightGradient, double>(_shards, new KernelWeightFormat(_stage));
        _checkpoints = store.Checkpoints(_stage.Key);
        await _checkpoints.LoadAsync(CancellationToken.None);
    }

    /// <summary>Shard after shard on this process's device thread; nothing is kept.</summary>
    public Task PlainAsync() => EpochAsync(_local, keep: false);

    /// <summary>As a coordinator does it.</summary>
    public async Task GrainsAsync()
    {
        using var span = Spans.Start("weigh epoch", Spans.Mark("weigh", default, new() { ["medmerge.trial"] = 1 })); // as a stage has them
        await EpochAsync(_sharded, keep: true);
    }

    /// <summary>Stops the silo and frees everything native.</summary>
    public async Task CleanupAsync()
    {
        await _shards.CloseAsync();
        await _cluster.DisposeAsync();
        await _device.RunAsync(_computer.Dispose, CancellationToken.None);
        await _device.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task EpochAsync(IShardWorkers<KernelWeightStep, KernelWeightGradient> workers, bool keep)
    {
        var map = new KernelWeightMap(_stage.Target.Architecture, _stage.Sources.Count, _stage.Learning);
        var theta = _stage.Start.Theta(map, inputs: []);
        var learner = new KernelWeightLearner(map, theta, StageFiles.Read<Head>(_probe, StageFiles.Head), _stage.Learning);
        await learner.RunEpochAsync(workers, CancellationToken.None); // measures the start: the same in both
        await learner.RunEpochAsync(workers, CancellationToken.None);
        if (keep) await _checkpoints.SaveAsync(learner.Save(), CancellationToken.None);
    }
}
