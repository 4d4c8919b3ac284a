using MedMerge.Data;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Testing;

namespace MedMerge.Storage.Tests;

public sealed class PlanCacheTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-plans-").FullName;
    private readonly ArtefactStore _artefacts;

    public PlanCacheTests() => _artefacts = new ArtefactStore(new FolderObjectStore(_folder));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task The_least_recently_used_plans_are_dropped_once_their_images_exceed_the_limit()
    {
        var hashes = new List<string>();
        for (var i = 0; i < 6; i++) hashes.Add(await WriteAsync(images: 24 + i));
        var all = new PlanCache(_artefacts);
        var first = await all.GetAsync(hashes[0]);
        foreach (var hash in hashes) await all.GetAsync(hash);
        Assert.Same(first, await all.GetAsync(hashes[0])); // six small ones are below the default

        var one = SizeOf(first.Scenarios[0].Target);
        var shared = first.Datasets.Values.Sum(SizeOf) - one; // the sources are pretrained on the same data sets in all plans
        Assert.True(shared > one);
        var few = new PlanCache(_artefacts, limit: shared + (3 * one) + (one / 2));
        first = await few.GetAsync(hashes[0]);
        var second = await few.GetAsync(hashes[1]);
        await few.GetAsync(hashes[2]);
        Assert.Same(first, await few.GetAsync(hashes[0])); // used again: the second is the oldest now
        await few.GetAsync(hashes[3]);
        await few.GetAsync(hashes[3]); // counted once it is built
        Assert.Same(first, await few.GetAsync(hashes[0]));
        Assert.NotSame(second, await few.GetAsync(hashes[1]));
    }

    [Fact]
    public async Task Data_sets_of_the_sources_count_and_plans_share_them()
    {
        var hashes = new[] { await WriteAsync(images: 24), await WriteAsync(images: 25) };
        var both = new PlanCache(_artefacts);
        var (first, second) = (await both.GetAsync(hashes[0]), await both.GetAsync(hashes[1]));
        Assert.Equal(3, first.Datasets.Count);
        Assert.Equal(2, first.Datasets.Count(data => ReferenceEquals(data.Value, second.Datasets.GetValueOrDefault(data.Key))));

        // Both targets have room, and both plans with their sources' data have not.
        var one = new PlanCache(_artefacts, limit: 2 * SizeOf(second.Scenarios[0].Target));
        first = await one.GetAsync(hashes[0]);
        await one.GetAsync(hashes[1]);
        await one.GetAsync(hashes[1]); // counted once it is built
        Assert.NotSame(first, await one.GetAsync(hashes[0]));
    }

    private static long SizeOf(ImageDataset data) => data.Train.Pixels.Length + data.Validation.Pixels.Length + data.Test.Pixels.Length;

    private async Task<string> WriteAsync(int images)
    {
        var plan = new SpecificationBuilder { Images = images }.BuildPlan();
        var submission = await Submission.WriteAsync(
            plan,
            PlanSummary.Of(plan),
            InputFile.Read,
            _artefacts,
            TestContext.Current.CancellationToken);
        return submission.Specification;
    }
}
