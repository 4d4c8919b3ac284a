using System.Diagnostics;
using System.Globalization;
using MedMerge.Experiments;
using MedMerge.Experiments.Stages;
using MedMerge.Grains;
using MedMerge.Grains.Hosting;
using MedMerge.Grains.Nodes;
using MedMerge.Storage;
using MedMerge.Tensors;
using MedMerge.Training;
using Microsoft.Extensions.Logging.Abstractions;

namespace MedMerge.ClusterBenchmarks;

/// <summary>
/// An epoch of weight learning (ResNet-20, batch 128, 4 shards) through the grains of one silo, its checkpoint included, beside the same work in a plain loop. The
/// goal: orchestration costs at most 5 %.
/// </summary>
internal sealed class Orchestration
{
    private const string Yaml = """
        name: orchestration
        target: { data: 'phantom:lesions', trainImages: 384 }
        architecture: resnet20
        sources:
          - name: a
            pretrain: { data: 'phantom:opacities', trainImages: 24, epochs: 1 }
          - name: b
            pretrain: { data: 'phantom:vessels', trainImages: 24, epochs: 1 }
        methods: [medmerge]
        weights: { epochs: 1000, batchSize: 128, shards: 4 }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-bench-").FullName;

    private Orchestration()
    {
    }

    /// <summary>Both in turns, and the medians, as Markdown.</summary>
    public static async Task<string> MeasureAsync(int rounds)
    {
        var bench = new Orchestration();
        await bench.Setup();
        var (plain, grains) = (new List<double>(), new List<double>());
        for (var round = -2; round < rounds; round++) // the first two warm up
        {
            var (first, second) = (await TimeAsync(bench.Plain), await TimeAsync(bench.Grains));
            if (round < 0) continue;
            plain.Add(first);
            grains.Add(second);
        }
        await bench.Cleanup();
        var (a, b) = (Median(plain), Median(grains));
        return string.Create(CultureInfo.InvariantCulture, $"""
            An epoch of weight learning (ResNet-20, batch 128, 4 shards, 384 images, 2 sources), medians of {rounds} turns

            | | ms |
            | --- | ---: |
            | in a plain loop | {a:0.0} |
            | through the grains of one silo, its checkpoint included | {b:0.0} |
            | ratio of the medians | {b / a:0.000} |
            | median of the turns' ratios | {Median([.. grains.Zip(plain, (x, y) => x / y)]):0.000} |

            """);
    }

    private static async Task<double> TimeAsync(Func<Task> work)
    {
        var start = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }

    private LocalCluster _cluster = null!;
    private DeviceThread _device = null!;
    private GradientComputer _computer = null!;
    private WeighStage _stage = null!;
    private ICheckpoints _checkpoints = null!;
    private ShardCalls<IWeighShardGrain> _calls = null!;
    private WeighShards _sharded = null!;
    private LocalWeightWorkers _local = null!;
    private StageOutput _probe = null!;

    /// <summary>Prepares the sources in a store, opens the shards on a silo and the same work here.</summary>
    private async Task Setup()
    {
        var specification = SpecificationReader.Read(Yaml, "it", []);
        var objects = new FolderObjectStore(_folder);
        var store = new StageStore(objects);
        var submission = await Submission.WriteAsync(specification, InputFile.Read, new ArtefactStore(objects), CancellationToken.None);
        _stage = Plan.Build(specification).Trials[0].Stages.OfType<WeighStage>().Single();
        _device = new DeviceThread("cpu", specification.Threads);
        var runner = new StageRunner(store, _device, (location, kind, _) => Task.FromResult(InputFile.Read(location, kind)));
        var inputs = new List<StageOutput>();
        foreach (var input in _stage.Inputs) inputs.Add(await runner.OutputAsync(input, (_, _) => { }, CancellationToken.None));
        _probe = inputs[^1];
        _computer = await _device.RunAsync(() => _stage.Open(inputs, _device.Device, memoryLimit: null), CancellationToken.None);
        _local = new LocalWeightWorkers(_device, _computer, _stage.Task.Dataset, _stage.Learning.Shards);

        _cluster = await LocalCluster.StartAsync(objects, "cpu", log: false, CancellationToken.None);
        _calls = new ShardCalls<IWeighShardGrain>(_cluster.Grains, _cluster.View, _stage.Key, _stage.Task, _stage.Shards, [], new StageRequest(submission.Specification, 1, "bench", 1, null),
            new NodeOptions(), TimeProvider.System, NullLogger.Instance);
        await _calls.OpenAsync(CancellationToken.None);
        _sharded = new WeighShards(_calls);
        _checkpoints = store.Checkpoints(_stage.Key);
        await _checkpoints.LoadAsync(CancellationToken.None);
    }

    /// <summary>Shard after shard on this process's device thread; nothing is kept.</summary>
    private Task Plain() => EpochAsync(_local, keep: false);

    /// <summary>As a coordinator does it.</summary>
    private Task Grains() => EpochAsync(_sharded, keep: true);

    /// <summary>Stops the silo and frees everything native.</summary>
    private async Task Cleanup()
    {
        await _calls.CloseAsync();
        await _cluster.DisposeAsync();
        await _device.RunAsync(_computer.Dispose, CancellationToken.None);
        await _device.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task EpochAsync(IWeightWorkers workers, bool keep)
    {
        var theta = _stage.Start.Theta(_stage.Sources.Count, _stage.Task.Architecture.Filters);
        var learner = new WeightLearner(theta, _stage.Sources.Count, StageFiles.Read<Head>(_probe, StageFiles.Head), _stage.Learning);
        await learner.RunEpochAsync(workers, CancellationToken.None); // measures the start: the same in both
        await learner.RunEpochAsync(workers, CancellationToken.None);
        if (keep) await _checkpoints.SaveAsync(learner.Save(), CancellationToken.None);
    }
}
