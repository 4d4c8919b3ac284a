using MedMerge.Experiments.Planning;
using MedMerge.Grains.Hosting;
using MedMerge.Storage;
using MedMerge.Testing;

namespace MedMerge.Grains.Tests;

/// <summary>A sweep on a cluster inside this process.</summary>
internal static class LocalSweep
{
    /// <summary>Submits a specification and starts it.</summary>
    /// <param name="objects">The cluster's store.</param>
    public static async Task<ISweepGrain> StartAsync(LocalCluster cluster, IObjectStore objects, SpecificationBuilder specification)
    {
        var plan = specification.BuildPlan();
        var submission = await Submission.WriteAsync(
            plan,
            PlanSummary.Of(plan),
            InputFile.Read,
            new ArtefactStore(objects),
            TestContext.Current.CancellationToken);

        var sweep = cluster.Grains.GetGrain<ISweepGrain>(submission.Id);
        await sweep.StartAsync(new StartSweep(submission.Name, submission.Specification, submission.Plan, []));
        return sweep;
    }
}
