using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;
using MedMerge.Training;

namespace MedMerge.Cli.Tests;

/// <summary>What merging two files of ResNet-50's size takes, in a process of its own.</summary>
public sealed class FileMergeMemoryTests : IDisposable
{
    private const int Sources = 2;
    private const int Classes = 1000;
    private const long Program = 100_000_000;

    private static readonly Architecture Network = Architectures.Create("resnet50");

    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-flat-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>The loader's own list tells what it opened (ld.so(8)).</summary>
    [Fact]
    public async Task Memory_is_bounded_by_the_largest_tensor_and_no_libtorch_is_loaded()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems' loaders don't tell.");
        var largest = WriteFiles();
        string[][] commands =
        [
            ["merge", "weights", "--source", "a=a", "--source", "b=b", "--output", "merged"],
            ["average", "a", "b", "--output", "averaged"],
            ["slerp", "a", "b", "--output", "interpolated"],
        ];
        foreach (var command in commands)
        {
            var (peak, loaded) = await MeasuredRun.RunAsync(_folder, command, ("LD_DEBUG", "files"));

            TestContext.Current.TestOutputHelper!.WriteLine($"{command[0]}: {peak / 1_000_000} MB");
            Assert.InRange(peak, 20_000_000, (largest * (Sources + 1)) + Program);
            Assert.Contains("libcoreclr.so", loaded, StringComparison.Ordinal);
            Assert.DoesNotContain("libtorch", loaded, StringComparison.Ordinal);
        }
    }

    /// <returns>The largest tensor's bytes.</returns>
    private long WriteFiles()
    {
        TorchRuntime.Start();
        using var target = new StateDict();
        var sources = new List<WeightedSource>();
        var largest = 0L;
        foreach (var name in new[] { "a", "b" })
        {
            using var model = Network.Initialise((ulong)sources.Count, Classes);
            File.WriteAllBytes(Path.Combine(_folder, name), Safetensors.Write(model));
            sources.Add(new WeightedSource(name, SourceHash.Compute(Network, model)));
            largest = model.Max(pair => pair.Value.numel() * sizeof(float));
            if (sources.Count > 1) continue;
            foreach (var norm in Network.Norms)
                foreach (var statistic in new[] { norm.Mean, norm.Variance }) target.Add(statistic, model[statistic].clone());
        }
        new Head(new double[Classes * Network.Features], new double[Classes]).AddTo(Network, target);
        var learned = new LearnedKernelWeights(sources, "nothing", KernelWeightMatrix.Uniform("resnet50", Sources), target.ToFloats());
        File.WriteAllBytes(Path.Combine(_folder, "weights"), learned.Write());
        return largest;
    }
}
