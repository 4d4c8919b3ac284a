using System.Diagnostics;
using System.Globalization;
using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Silo;
using MedMerge.Storage;
using MedMerge.Testing;

namespace MedMerge.ClusterBenchmarks;

/// <summary>
/// A sweep of trials that compute nothing on two silos, which are processes of this program, with Azurite: the overhead of a trial, and
/// whether it and the memory grow with what has ended.
/// </summary>
internal static class EmptyTrials
{
    private const string Container = "empty-trials";
    private const int Silos = 2;
    private const int MaxSeeds = 1000;
    private const int Parts = 10;
    private static readonly TimeSpan Deadline = TimeSpan.FromHours(1);

    /// <summary>Runs a silo that has the empty method, and prints what it has written every second.</summary>
    public static async Task RunSiloAsync()
    {
        MethodRegistry.Add(new EmptyMethod());
        CountingStore store = null!;
        var app = await SiloApplication.BuildAsync([], objects => store = new CountingStore(objects));
        await app.StartAsync();
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        var stopped = app.Lifetime.ApplicationStopping;
        try
        {
            while (await timer.WaitForNextTickAsync(stopped)) Console.WriteLine($"written {store.Counts}");
        }
        catch (OperationCanceledException)
        {
            await app.StopAsync();
        }
    }

    /// <summary>Measures.</summary>
    /// <returns>A table as Markdown.</returns>
    public static async Task<string> MeasureAsync(int trials)
    {
        MethodRegistry.Add(new EmptyMethod());
        await using var azurite = new AzuriteServer();
        await azurite.InitializeAsync();
        var account = AzuriteServer.ConnectionString(azurite.Address, azurite.Tables);
        var objects = await AzureBlobStore.OpenAsync(account, Container, AzuriteServer.Options(), CancellationToken.None);
        await StoreIdentity.EnsureAsync(objects, CancellationToken.None);
        var silos = Enumerable.Range(0, Silos).Select(_ => new SiloOfTrials($"{account}ContainerName={Container}")).ToList();
        try
        {
            return await MeasureAsync(trials, objects, silos);
        }
        finally
        {
            foreach (var silo in silos) silo.Dispose();
        }
    }

    private static async Task<string> MeasureAsync(int trials, IObjectStore objects, List<SiloOfTrials> silos)
    {
        var plan = Plan.Build(SpecificationReader.Read(Yaml(trials), "benchmark", []));
        var summary = PlanSummary.Of(plan);
        var artefacts = new ArtefactStore(objects);
        var submission = await Submission.WriteAsync(plan, summary, InputFile.Read, artefacts, CancellationToken.None);
        var sweeps = new SweepStore(objects);
        var record = SweepRecord.Start(
            submission.Name,
            submission.Specification,
            submission.Plan,
            [],
            [],
            TimeProvider.System.GetUtcNow(),
            trace: null);
        await sweeps.TryCreateAsync(submission.Id, record, CancellationToken.None);

        var rows = new List<string>();
        Sample? first = null, last = null;
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            await Task.Delay(200);
            var (head, _) = (await sweeps.FindHeadAsync(submission.Id, CancellationToken.None))!.Value;
            var now = new Sample(head.Counts.Done, Stopwatch.GetElapsedTime(start), [.. silos.Select(silo => silo.Memory)], silos);
            first ??= head.Counts.Done > 0 ? now : null; // silos have started, plans are built
            last ??= first;
            if (last is not null && (now.Done - last.Done >= trials / Parts || head.Counts.Pending == 0 && head.Counts.Total > 0))
            {
                var size = (await objects.ReadAsync(SweepStore.Prefix + submission.Id, CancellationToken.None))!.Content.Length;
                rows.Add(now.Describe(last, size));
                Console.Error.WriteLine(rows[^1]);
                last = now;
            }
            if (head.Counts.Total > 0 && head.Counts.Pending == 0) break;
            if (Stopwatch.GetElapsedTime(start) > Deadline) throw new TimeoutException($"{head.Counts.Done} trials are done.");
        }
        await Task.Delay(TimeSpan.FromSeconds(2)); // silos say what they have written
        var slots = Silos; // one lane each
        var overhead = (last!.Time - first!.Time).TotalSeconds * slots / (last.Done - first.Done);
        var written = silos.Select(silo => silo.Written).Aggregate((one, other) => [.. one.Zip(other, (a, b) => a + b)]);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"""
            | trials done | trials a second | ms a trial | memory of the silos in MB | size of the head in bytes |
            | ---: | ---: | ---: | ---: | ---: |
            {string.Join('\n', rows)}

            {last.Done} trials on {Silos} silos of one lane each: {overhead:0.000} slot-seconds a trial.
            Written: {written[0]} times {written[1]:N0} bytes in all to the sweep's record, {(double)written[1] / last.Done:0} a trial;
            {written[2]} times {written[3]:N0} bytes of all else.
            """);
    }

    private static string Yaml(int trials)
    {
        var scenarios = (trials + MaxSeeds - 1) / MaxSeeds;
        var values = Enumerable.Range(1, scenarios).Select(i => (0.5 + (0.01 * i)).ToString(CultureInfo.InvariantCulture));
        var weights = string.Join(", ", values);
        return $$"""
            name: empty
            target: { data: "phantom:lesions", trainImages: 24 }
            architecture: resnet20
            width: 0.125
            sources:
              - { name: a, pretrain: { data: "phantom:opacities", trainImages: 24, epochs: 1 } }
              - { name: b, pretrain: { data: "phantom:vessels", trainImages: 24, epochs: 1 } }
            methods: [{{EmptyMethod.MethodName}}]
            seeds: {{Math.Min(trials, MaxSeeds)}}
            kernelWeights: { batchSize: 8 }
            fineTune: { batchSize: 8 }
            vary: { kernelWeights.anchorWeight: [{{weights}}] }
            """;
    }

    /// <summary>How far the sweep is at a moment.</summary>
    private sealed record Sample(int Done, TimeSpan Time, IReadOnlyList<long> Memory, IReadOnlyList<SiloOfTrials> Silos)
    {
        public string Describe(Sample before, int head)
        {
            var seconds = (Time - before.Time).TotalSeconds;
            var memory = string.Join(" and ", Memory.Select(bytes => bytes / 1_000_000));
            return string.Create(
                CultureInfo.InvariantCulture,
                $"| {Done} | {(Done - before.Done) / seconds:0.0} | {1000 * seconds / (Done - before.Done):0.0} | {memory} | {head:N0} |");
        }
    }
}
