using System.Diagnostics;
using System.Globalization;
using MedMerge.Data;
using MedMerge.Data.Formats;
using MedMerge.Merging;
using MedMerge.Merging.Alignment;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Tests.Models;
using MedMerge.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace MedMerge.Benchmarks;

/// <summary>
/// For architectures at full width, two sources of random weights: the certificate of their merge, how long the one takes to be aligned to
/// the other, on one thread, and by how much its features change when its channels are in another order, and when its batch norm is
/// restored.
/// </summary>
internal static class ArchitectureTable
{
    private const int Side = 64, ComparedImages = 4;

    private static readonly ImageDataset Target =
        Phantoms.Create("lesions", Side, train: ActivationMatching.MaxImages, validation: 4, test: 4);

    /// <summary>Prints a row for each.</summary>
    /// <param name="architectures">None for all.</param>
    public static void Write(string[] architectures)
    {
        TorchRuntime.Start();
        torch.set_num_threads(1);
        Console.WriteLine(
            "| architecture | certificate | groups | largest | by weights | by activations | aligned, float64 | float32 | " +
            "restored, float64 | float32 |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
        foreach (var name in architectures.Length > 0 ? architectures : [.. Architectures.Names]) WriteRow(Architectures.Create(name));
    }

    private static void WriteRow(Architecture architecture)
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        var groups = new ChannelGroups(architecture);
        var sources = RandomModels.Prepared(architecture, 2);
        using var loader = new BatchLoader(Target, CPU);
        var (_, weightTime) = Measure(() => WeightMatching.Match(groups, sources[0], sources[1], CPU, CancellationToken.None));
        var (order, activationTime) = Measure(() =>
            ActivationMatching.Match(groups, sources[0], sources[1], Target, loader, CPU, CancellationToken.None));
        using var aligned = order.Apply(sources[1]);
        var network = FoldedNetwork.Of(architecture, sources[1]);
        using var statistics = BatchNormRestoration.Measure(network, Target, loader, CancellationToken.None);
        RandomModels.Head(architecture, Target.Classes).AddTo(architecture, statistics);
        sources[1].CopyNormsTo(architecture, statistics);
        using var restored = BatchNormRestoration.Restore(network, statistics);
        string[] cells =
        [
            architecture.Title,
            Certify(),
            $"{groups.Groups.Count}",
            $"{groups.Groups.Max(group => group.Size)}",
            Seconds(weightTime),
            Seconds(activationTime),
            CompareAligned(ScalarType.Float64),
            CompareAligned(ScalarType.Float32),
            CompareRestored(ScalarType.Float64),
            CompareRestored(ScalarType.Float32),
        ];
        Console.WriteLine($"| {string.Join(" | ", cells)} |");
        sources.ForEach(source => source.Dispose());

        string Certify()
        {
            using var inner = NewDisposeScope();
            var map = new KernelWeightMap(architecture, sources.Count, new KernelWeightSettings());
            var alpha = map.ToAlpha(map.Start(anchor: 0, 0.6));
            var merge = KernelFolding.Fold(sources, alpha);
            using var measured = BatchNormRestoration.Measure(merge, Target, loader, CancellationToken.None);
            RandomModels.Head(architecture, Target.Classes).AddTo(architecture, measured);
            using var merged = BatchNormRestoration.Restore(merge, measured);
            var certificate = Certificate.Measure(sources, alpha, merge, merged, Load(ScalarType.Float32), CancellationToken.None);
            return Format(certificate.Worst.Relative);
        }

        string CompareAligned(ScalarType type)
        {
            using var inner = NewDisposeScope();
            var index = tensor(Array.ConvertAll(order.Features, feature => (long)feature));
            return Compare(Fold(sources[1], type).index_select(1, index), Fold(aligned, type));
        }

        string CompareRestored(ScalarType type)
        {
            using var inner = NewDisposeScope();
            using var exported = new BatchNormNetwork(architecture, restored, CPU, type);
            return Compare(Fold(sources[1], type), exported.Features(Load(type), training: false));
        }

        Tensor Fold(PreparedSource source, ScalarType type) =>
            FoldedNetwork.Of(architecture, source).Convert(tensor => tensor.to(type)).Features(Load(type));
    }

    private static Tensor Load(ScalarType type)
    {
        using var loader = new BatchLoader(Target, CPU, type);
        return loader.Load(Target.Train, [.. Enumerable.Range(0, ComparedImages)]);
    }

    private static (T Result, TimeSpan Time) Measure<T>(Func<T> work)
    {
        var start = Stopwatch.GetTimestamp();
        return (work(), Stopwatch.GetElapsedTime(start));
    }

    private static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s");

    /// <summary>The largest difference in units of the features' root mean square.</summary>
    private static string Compare(Tensor expected, Tensor found)
    {
        var difference = (expected - found).abs().max().to(ScalarType.Float64).item<double>();
        var scale = expected.to(ScalarType.Float64).Squared().mean().sqrt().item<double>();
        return Format(difference / scale);
    }

    private static string Format(double error) => error.ToString("0.0e0", CultureInfo.InvariantCulture);
}
