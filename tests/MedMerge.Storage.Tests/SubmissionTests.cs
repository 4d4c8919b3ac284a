using MedMerge.Data;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Testing;

namespace MedMerge.Storage.Tests;

public sealed class SubmissionTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-submission-").FullName;
    private readonly FolderObjectStore _objects;
    private readonly ArtefactStore _artefacts;

    public SubmissionTests()
    {
        _objects = new FolderObjectStore(Path.Combine(_folder, "store"));
        _artefacts = new ArtefactStore(_objects);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>The folder is gone, and its format is one that nodes don't know.</summary>
    [Fact]
    public async Task Nodes_read_packed_data_sets_only()
    {
        var chest = Path.Combine(_folder, "chest");
        ClassFolderFormat.Write(chest, images: 16, "effusion", "healthy");
        var yaml = new SpecificationBuilder().Yaml.Replace("'phantom:lesions'", "chest/", StringComparison.Ordinal);
        var plan = Plan.Build(SpecificationReader.Read(yaml, "test.yaml", [_folder], ClassFolderFormat.Formats));
        var submission = await Submission.WriteAsync(plan, PlanSummary.Of(plan), InputFile.Read, _artefacts, Cancellation);
        Directory.Delete(chest, recursive: true);

        var plans = new PlanCache(_artefacts);
        var built = await plans.GetAsync(submission.Specification);

        Assert.Equal(plan.Stages.Select(stage => stage.Key), built.Stages.Select(stage => stage.Key));
        Assert.Equal(["effusion", "healthy"], built.Scenarios.Single().Target.Info.ClassNames);
        var inputs = (await plans.FilesAsync(submission.Specification)).ToList();
        Assert.Equal(3, inputs.Count); // the target's and the two sources'
        foreach (var hash in inputs) PackedDataset.Read((await _artefacts.ReadAsync(hash, Cancellation))!, hash);
    }

    [Fact]
    public async Task Submitting_twice_is_submitting_once()
    {
        var plan = new SpecificationBuilder().BuildPlan();

        var first = await Submission.WriteAsync(plan, PlanSummary.Of(plan), InputFile.Read, _artefacts, Cancellation);
        var again = new SpecificationBuilder().BuildPlan();
        var second = await Submission.WriteAsync(again, PlanSummary.Of(again), InputFile.Read, _artefacts, Cancellation);

        Assert.Equal(first, second);
    }

    [Fact]
    public async Task A_specification_frozen_by_another_version_is_refused_with_what_to_do()
    {
        var hash = await _artefacts.WriteAsync(FrozenSpecification.Write(new SpecificationBuilder().Read()), Cancellation);

        var error = await Assert.ThrowsAsync<InputException>(() => new PlanCache(_artefacts).GetAsync(hash));

        Assert.Contains("submitted by another version of MedMerge. Submit it again", error.Message, StringComparison.Ordinal);
    }
}
