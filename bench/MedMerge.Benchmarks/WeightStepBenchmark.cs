using BenchmarkDotNet.Attributes;
using MedMerge.Tensors;
using TorchSharp;

namespace MedMerge.Benchmarks;

/// <summary>
/// One step of weight learning at batch 64 with 2, 4 and 8 sources, beside a plain training step of the same network and beside the naive
/// form that computes every source's feature maps. The goal: at 8 sources at most 1.25 times the plain step.
/// </summary>
[MemoryDiagnoser(false)]
public class WeightStepBenchmark
{
    private const int BatchSize = 64, Side = 28;

    private TrainingSteps _steps = null!;

    /// <summary>ResNet-20 and ResNet-18 with the 3×3 stem, at 28 pixels.</summary>
    [Params("resnet20", "resnet18-3x3")]
    public string Network { get; set; } = "";

    /// <summary>How many sources are weighed; the plain step has no sources.</summary>
    [Params(2, 4, 8)]
    public int Sources { get; set; }

    /// <summary>Builds models and data.</summary>
    [GlobalSetup]
    public void Setup()
    {
        TorchRuntime.Start();
        torch.set_num_threads(Environment.ProcessorCount);
        _steps = new TrainingSteps(Network, Sources, Side, BatchSize, hasNaive: true);
    }

    /// <inheritdoc cref="TrainingSteps.Plain" />
    [Benchmark(Baseline = true, Description = "plain training step")]
    public double Plain() => _steps.Plain();

    /// <inheritdoc cref="TrainingSteps.Folded" />
    [Benchmark(Description = "weight step (folded)")]
    public double Folded() => _steps.Folded();

    /// <inheritdoc cref="TrainingSteps.Naive" />
    [Benchmark(Description = "weight step (naive)")]
    public double Naive() => _steps.Naive();

    /// <summary>Frees everything native.</summary>
    [GlobalCleanup]
    public void Cleanup() => _steps.Dispose();
}
