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

        var data = first.Scenarios[0].Target;
        var one = data.Train.Pixels.Length + data.Validation.Pixels.Length + data.Test.Pixels.Length;
        var few = new PlanCache(_artefacts, limit: (3 * one) + (one / 2));
        first = await few.GetAsync(hashes[0]);
        var second = await few.GetAsync(hashes[1]);
        await few.GetAsync(hashes[2]);
        Assert.Same(first, await few.GetAsync(hashes[0])); // used again: the second is the oldest now
        await few.GetAsync(hashes[3]);
        await few.GetAsync(hashes[3]); // counted once it is built
        Assert.Same(first, await few.GetAsync(hashes[0]));
        Assert.NotSame(second, await few.GetAsync(hashes[1]));
    }

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
