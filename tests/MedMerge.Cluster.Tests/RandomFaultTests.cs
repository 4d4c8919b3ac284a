using System.Diagnostics;
using System.Globalization;
using Azure;
using MedMerge.Grains;
using MedMerge.Storage;
using MedMerge.Testing;

namespace MedMerge.Cluster.Tests;

/// <summary>
/// A sweep of 18 trials on a cluster under random faults, compared with an undisturbed run. Takes minutes a seed, and
/// runs where it is asked for: see bench/README.md.
/// </summary>
public sealed class RandomFaultTests(ITestOutputHelper output) : IDisposable
{
    private const string SeedsVariable = "MEDMERGE_FAULT_SEEDS";
    private const string TableVariable = "MEDMERGE_FAULT_TABLE";
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(20);
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);
    private static readonly SpecificationBuilder Specification = new()
    {
        Name = "faults",
        Width = 0.25,
        Images = 64,
        SourceImages = 32,
        Methods = "[medmerge, lp-ft]",
        Seeds = 6,
        KernelWeights = "{ epochs: 8, batchSize: 16, shards: 2 }",
        FineTune = "{ epochs: 3, batchSize: 16, shards: 2 }",
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-faults-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact(Explicit = true)]
    public async Task Under_random_faults_no_trial_is_lost_failed_or_quarantined_and_every_byte_is_that_of_an_undisturbed_run()
    {
        var seeds = (Environment.GetEnvironmentVariable(SeedsVariable) ?? "1").Split(',');
        var specification = Path.Combine(_folder, "faults.yaml");
        await File.WriteAllTextAsync(specification, Specification.Yaml, Cancellation);
        var plain = Path.Combine(_folder, "plain");
        await CommandProcess.RunAsync("run", specification, "--store", Path.Combine(_folder, "store"), "--output", plain);
        var expected = new Expected(
            ReadFiles(plain),
            await StageOutputs.ReadAsync(new FolderObjectStore(Path.Combine(_folder, "store"))));
        Print(
            "| seed | faults | kinds | seconds | trials done | failed | quarantined "
            + "| outputs forgotten | outputs differing | files differing | damaged |");
        Print("| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
        var isGood = true;
        foreach (var seed in seeds) isGood &= await RunAsync(int.Parse(seed, CultureInfo.InvariantCulture), expected);
        Assert.True(isGood, "See the table.");
    }

    private async Task<bool> RunAsync(int seed, Expected expected)
    {
        await using var azurite = await AzuriteServer.StartInAsync(Path.Combine(_folder, $"azurite-{seed}"));
        await using var cluster = new TestCluster(azurite);
        var faults = new RandomFaults(seed, cluster, azurite);
        var id = await GatewayCommand.SubmitAsync(await faults.StartAsync(), Specification.Yaml);
        var watch = Stopwatch.StartNew();

        await faults.RunAsync(() => HasEndedAsync(cluster, id));
        await WaitForEndAsync(cluster, id, watch);

        var seconds = watch.Elapsed.TotalSeconds;
        var store = await cluster.StoreAsync();
        var folder = Path.Combine(_folder, $"faults-{seed}");
        var gateway = await faults.GatewayAsync();
        await ReportAsync(cluster, id, gateway.Http, folder, watch);
        var forgotten = await MendForgottenAsync(cluster, id, expected.Outputs, faults, watch);
        var trials = (await new SweepStore(store).FindAsync(id, Cancellation))!.Value.Record.Trials;
        var differences = FindDifferences(expected.Outputs, await StageOutputs.ReadAsync(store));
        var outputs = differences.Count;
        differences.AddRange(FindDifferences(expected.Files, ReadFiles(folder)));
        var files = differences.Count - outputs;
        var damaged = (await StoreMaintenance.VerifyAsync(store, Cancellation)).Damaged;
        var done = trials.Count(trial => trial.State == WorkState.Done);
        Print(string.Create(
            CultureInfo.InvariantCulture,
            $"| {seed} | {faults.Count} | {faults.Summary} | {seconds:0} | {done} of {trials.Count} | {Count(WorkState.Failed)} "
            + $"| {Count(WorkState.Quarantined)} | {forgotten} | {outputs} of {expected.Outputs.Count} "
            + $"| {files} of {expected.Files.Count} | {damaged.Count} |"));
        foreach (var trial in trials.Where(trial => trial.HasFailed)) Print($"seed {seed}: {trial.State}: {trial.Reason}");
        foreach (var difference in differences) Print($"seed {seed}: {difference}");
        foreach (var name in damaged) Print($"seed {seed}: damaged: {name}");
        return done == trials.Count && outputs + files + damaged.Count == 0;

        int Count(WorkState state) => trials.Count(trial => trial.State == state);
    }

    /// <summary>
    /// Reports the sweep. Azurite keeps its index in memory for some seconds: killed, it forgets what it had acknowledged. The report then
    /// finds an output missing, has it computed again and says so. It is asked again when the sweep has ended once more: before, it is a
    /// report of the other trials.
    /// </summary>
    private static async Task ReportAsync(TestCluster cluster, string id, Uri gateway, string folder, Stopwatch watch)
    {
        while (true)
        {
            try
            {
                await CommandProcess.RunAsync("report", id, "--gateway", gateway.ToString(), "--output", folder);
                return;
            }
            catch (InvalidOperationException error) when (
                error.Message.Contains("is being recomputed", StringComparison.Ordinal) && watch.Elapsed < Deadline)
            {
                await Task.Delay(PollInterval, Cancellation);
                await WaitForEndAsync(cluster, id, watch);
            }
        }
    }

    /// <summary>
    /// Has the outputs computed again that Azurite forgot and no report needs: the cluster does so by itself only for what is read.
    /// </summary>
    /// <returns>How many there were.</returns>
    private static async Task<int> MendForgottenAsync(
        TestCluster cluster, string id, SortedDictionary<string, string> expected, RandomFaults faults, Stopwatch watch)
    {
        if (!faults.HaveKilledAzurite) return 0; // nothing may be missing
        var found = await StageOutputs.ReadAsync(await cluster.StoreAsync());
        var missing = expected.Keys.Except(found.Keys).ToList();
        foreach (var name in missing)
        {
            await (await cluster.GrainsAsync()).GetGrain<ISweepGrain>(id).RepairAsync(name.Split('/')[^1]);
            await WaitForEndAsync(cluster, id, watch);
        }
        return missing.Count;
    }

    private static async Task WaitForEndAsync(TestCluster cluster, string id, Stopwatch watch)
    {
        while (!await HasEndedAsync(cluster, id) && watch.Elapsed < Deadline) await Task.Delay(PollInterval, Cancellation);
    }

    /// <summary>Read from the store: the cluster may not answer now.</summary>
    private static async Task<bool> HasEndedAsync(TestCluster cluster, string id)
    {
        try
        {
            return (await new SweepStore(await cluster.StoreAsync()).FindAsync(id, Cancellation))!.Value.Record.HasEnded;
        }
        catch (Exception error) when (error is RequestFailedException or AggregateException)
        {
            return false; // the store was killed
        }
    }

    private static SortedDictionary<string, string> ReadFiles(string folder)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in Directory.GetFiles(folder, "*", SearchOption.AllDirectories))
            files[Path.GetRelativePath(folder, file)] = ContentHash.Of(File.ReadAllBytes(file));
        return files;
    }

    /// <returns>Each with its name.</returns>
    private static List<string> FindDifferences(SortedDictionary<string, string> expected, SortedDictionary<string, string> found) =>
    [
        .. expected.Keys.Except(found.Keys).Select(name => $"missing: {name}"),
        .. found.Keys.Except(expected.Keys).Select(name => $"not expected: {name}"),
        .. expected.Where(pair => found.GetValueOrDefault(pair.Key, pair.Value) != pair.Value).Select(pair => $"different: {pair.Key}"),
    ];

    private void Print(string line)
    {
        output.WriteLine(line);
        if (Environment.GetEnvironmentVariable(TableVariable) is { } table) File.AppendAllLines(table, [line]);
    }

    private sealed record Expected(SortedDictionary<string, string> Files, SortedDictionary<string, string> Outputs);
}
