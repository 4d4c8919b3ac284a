using MedMerge.Data;
using MedMerge.Merging;
using MedMerge.Merging.Alignment;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Tests.Merging.Alignment;
using MedMerge.Tests.Models;
using static TorchSharp.torch;

namespace MedMerge.Tests.Merging.Files;

/// <summary>A merge from files is, to the byte, the one that a run computes, and the one that libtorch's arithmetic gives.</summary>
public sealed class KernelWeightMergerTests : IDisposable
{
    private const int Sources = 3;
    private const int Classes = 4;

    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-merge-").FullName;

    public static MatrixTheoryData<(string Name, double Width), bool, string> Merges =>
        new([.. NumericsTests.Architectures.Select(row => row.Data)], [false, true], ["plain", "aligned", "rescaled", "mixed"]);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <param name="kind">
    /// Each adds to the one before it: kernels scaled to norms and sources in another order; the batch norms of a rescaled merge. Or those
    /// of an aligned merge are mixed.
    /// </param>
    [Theory]
    [MemberData(nameof(Merges))]
    public void A_merge_from_files_is_that_of_a_run((string Name, double Width) network, bool isPerKernel, string kind)
    {
        var architecture = PreActivationNet.Create(network.Name, network.Width);
        var models = Enumerable.Range(0, Sources).Select(i => Load(architecture, i)).ToList();
        using var scope = NewDisposeScope();
        var learned = Learn(architecture, models, isPerKernel, kind);
        var files = learned.Sources.Select((source, i) => new SourceFile(source.Name, PathTo(i))).Reverse().ToList();

        var merged = MergedFile.Write(learned, files);

        Assert.Equal(merged, MergedFile.Write(learned, files, threads: 1));
        Assert.Equal(merged, Write(learned, MergeAsRun(learned, models)));
        if (kind != "mixed") Assert.Equal(merged, Write(learned, TorchMerge.Merge(learned, models)));
        models.ForEach(model => model.Dispose());
    }

    /// <summary>The sources as the files have them: one in float16, one under a prefix and without a classifier.</summary>
    private StateDict Load(Architecture architecture, int source)
    {
        using var drawn = RandomModels.Weights(architecture, (ulong)source + 20, Classes);
        using var written = new StateDict();
        foreach (var (name, value) in drawn)
        {
            var isLeftOut = source == 1 && name.StartsWith(architecture.Classifier, StringComparison.Ordinal);
            var type = source == 2 && value.is_floating_point() ? ScalarType.Float16 : value.dtype;
            if (!isLeftOut) written.Add((source == 1 ? "net." : "") + name, value.to(type));
        }
        File.WriteAllBytes(PathTo(source), Safetensors.Write(written));
        using var file = ModelFile.Read(PathTo(source));
        return ModelImport.Import(architecture, file, chosen: null, "it", []);
    }

    private static LearnedKernelWeights Learn(Architecture architecture, List<StateDict> models, bool isPerKernel, string kind)
    {
        var layout = isPerKernel ? KernelWeightLayout.PerKernel(architecture) : KernelWeightLayout.PerFilter(architecture);
        var alpha = RandomModels.Softmax(RandomModels.KernelWeights(architecture, Sources, new RandomStream(7), layout));
        using var other = RandomModels.Weights(architecture, seed: 40, Classes);
        using var target = new StateDict();
        foreach (var norm in architecture.Norms)
            foreach (var name in new[] { norm.Mean, norm.Variance }) target.Add(name, other[name].clone());
        using var anchor = PreparedSource.Prepare("", architecture, models[0]);
        if (kind is "aligned" or "rescaled") anchor.CopyNormsTo(architecture, target);
        if (kind == "rescaled") ActivationRescaling.AddTo(architecture, other, target);
        RandomModels.Head(architecture, Classes).AddTo(architecture, target);
        var groups = new ChannelGroups(architecture);
        var sources = models.Select((model, i) => new WeightedSource($"s{i}", SourceHash.Compute(architecture, model))
        {
            Order = i > 0 && kind is not "plain" ? ChannelGroupsTests.RandomOrder(groups, (ulong)i) : null,
        });
        return new LearnedKernelWeights([.. sources], "test", alpha, target.ToFloats())
        {
            BatchNorm = kind == "mixed" ? BatchNormPolicy.Mix : BatchNormPolicy.Fold,
        };
    }

    private static StateDict MergeAsRun(LearnedKernelWeights learned, List<StateDict> models)
    {
        var sources = models.Zip(learned.Sources, (model, source) =>
        {
            var prepared = PreparedSource.Prepare(source.Name, learned.Architecture, model, learned.BatchNorm);
            return source.Order is null ? prepared : source.Order.Apply(prepared);
        });
        using var target = new StateDict();
        foreach (var (name, value) in learned.TargetTensors) target.Add(name, tensor(value.Values).view([.. value.Shape]));
        return BatchNormRestoration.Restore(KernelFolding.Merge([.. sources], learned.Alpha), target);
    }

    private static byte[] Write(LearnedKernelWeights learned, StateDict model) =>
        Safetensors.Write(model, ModelMetadata.Of(learned.Architecture, learned.Signature));

    private string PathTo(int source) => Path.Combine(_folder, $"{source}");
}
