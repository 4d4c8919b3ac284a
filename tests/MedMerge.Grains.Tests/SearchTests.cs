using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Grains.Hosting;
using MedMerge.Storage;
using MedMerge.Testing;

namespace MedMerge.Grains.Tests;

/// <summary>A search by successive halving on real trials.</summary>
public sealed class SearchTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-search-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task However_many_trials_run_at_a_time_the_same_go_on_and_the_others_are_stopped_early()
    {
        var one = await RunAsync(lanes: 1);
        var four = await RunAsync(lanes: 4);

        Assert.Equal(new TrialCounts(Waiting: 0, Done: 2, StoppedEarly: 6), one.Trials.Counts); // two seeds of one of four candidates
        Assert.Equal(WorkState.Done, one.State);
        Assert.Equal(
            one.Trials.Select(trial => (trial.State, trial.Rung, trial.Reason)),
            four.Trials.Select(trial => (trial.State, trial.Rung, trial.Reason)));
        Assert.Equal(one.Trials.SelectMany(trial => trial.Scores), four.Trials.SelectMany(trial => trial.Scores));
        Assert.All(one.Trials.Where(trial => trial.State == WorkState.StoppedEarly), trial => Assert.Null(trial.Kind));
    }

    private async Task<SweepRecord> RunAsync(int lanes)
    {
        var builder = new SpecificationBuilder { Methods = "[scratch]", Seeds = 2, FineTune = "{ epochs: 3, batchSize: 8 }" };
        var yaml = builder.Yaml + "\nsearch: { over: { fineTune.learningRate: [0.0001, 0.001, 0.01, 0.1] }, halving: { factor: 2 } }";
        var plan = Plan.Build(SpecificationReader.Read(yaml, "test.yaml", []));
        var objects = new FolderObjectStore(Path.Combine(_folder, $"{lanes}"));
        var artefacts = new ArtefactStore(objects);
        var submission = await Submission.WriteAsync(plan, PlanSummary.Of(plan), InputFile.Read, artefacts, Cancellation);
        await using var cluster = await LocalCluster.StartAsync(objects, TestDevice.Name, log: false, Cancellation, lanes: lanes);
        var sweep = cluster.Grains.GetGrain<ISweepGrain>(submission.Id);
        await sweep.StartAsync(new StartSweep(submission.Name, submission.Specification, submission.Plan, []));
        var status = await sweep.StatusAsync(-1);
        while (!status.HasEnded) status = await sweep.StatusAsync(status.Version).WaitAsync(TimeSpan.FromMinutes(2), Cancellation);
        return (await new SweepStore(objects).FindAsync(submission.Id, Cancellation))!.Value.Record;
    }
}
