using MedMerge.Merging.Files;

namespace MedMerge.Tests.Merging.Files;

/// <summary>Alone, since it counts what the process allocates.</summary>
[CollectionDefinition(nameof(MergeMemoryTests), DisableParallelization = true)]
[Collection(nameof(MergeMemoryTests))]
public sealed class MergeMemoryTests : IDisposable
{
    private const int Threads = 2;
    private const long Limit = 4_000_000; // two threads' buffers, two files' hashes, and the test's own

    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-flat-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(1 << 10)]
    [InlineData(1 << 24)]
    public async Task Merging_allocates_no_more_for_large_tensors_than_for_small_ones(int elements)
    {
        string[] paths = [Path.Combine(_folder, "a"), Path.Combine(_folder, "b")];
        foreach (var path in paths) new TensorFile().Add("x", "F32", new double[elements], elements).Write(path);
        await MergeAsync(paths); // starts threads, compiles
        var before = GC.GetTotalAllocatedBytes(precise: true);

        await MergeAsync(paths);

        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 1, Limit);
    }

    private async Task MergeAsync(string[] paths)
    {
        using var merger = new WeightFileMerger(paths, new SphericalInterpolation(0.5));
        using var output = File.OpenHandle(Path.Combine(_folder, "out"), FileMode.Create, FileAccess.Write);
        await merger.WriteAsync(output, Threads, TestContext.Current.CancellationToken);
    }
}
