using System.Globalization;
using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Silo;
using MedMerge.Storage;
using MedMerge.Testing;

namespace MedMerge.ClusterBenchmarks;

/// <summary>
/// A sweep of trials that compute nothing on two silos of one lane each, which are processes of this program, with Azurite in memory.
/// </summary>
internal sealed class EmptySweep : IAsyncDisposable
{
    private const string Container = "empty-trials";
    private const string Proposed = "empty";
    private const string SingleSource = "empty-source";
    private const int SiloCount = 2;
    private const int MaxSeeds = 1000;
    private readonly AzuriteServer _azurite;

    private EmptySweep(AzuriteServer azurite, string connection, IObjectStore objects, string id, IReadOnlyList<SiloOfTrials> silos)
    {
        (_azurite, Connection, Objects, Id, Silos) = (azurite, connection, objects, id, silos);
    }

    /// <summary>The storage account and its container.</summary>
    public string Connection { get; }

    public IObjectStore Objects { get; }

    public string Id { get; }

    public IReadOnlyList<SiloOfTrials> Silos { get; }

    /// <summary>Runs a silo that has the empty methods, and prints what it has written every second.</summary>
    /// <param name="images">As <see cref="EmptyMethod"/> has it.</param>
    /// <param name="pause">As <see cref="EmptyMethod"/> has it.</param>
    public static async Task RunSiloAsync(int images, TimeSpan pause)
    {
        AddMethods(images, pause);
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

    /// <summary>Writes the sweep and starts its silos.</summary>
    /// <param name="images">With any, there are two methods to compare; without, one.</param>
    public static async Task<EmptySweep> StartAsync(int trials, int images, TimeSpan pause)
    {
        AddMethods(images, pause);
        var azurite = new AzuriteServer();
        await azurite.InitializeAsync();
        var account = AzuriteServer.ConnectionString(azurite.Address, azurite.Tables);
        var objects = await AzureBlobStore.OpenAsync(account, Container, AzuriteServer.Options(), CancellationToken.None);
        await StoreIdentity.EnsureAsync(objects, CancellationToken.None);
        var id = await SubmitAsync(Yaml(trials, images > 0 ? [Proposed, SingleSource] : [Proposed]), objects);
        var connection = $"{account}ContainerName={Container}";
        var silos = Enumerable.Range(0, SiloCount).Select(_ => new SiloOfTrials(connection, images, pause)).ToList();
        return new EmptySweep(azurite, connection, objects, id, silos);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var silo in Silos) silo.Dispose();
        await _azurite.DisposeAsync();
    }

    private static void AddMethods(int images, TimeSpan pause)
    {
        MethodRegistry.Add(new EmptyMethod(Proposed, MethodRole.Proposed, images, pause));
        MethodRegistry.Add(new EmptyMethod(SingleSource, MethodRole.SingleSource, images, pause));
    }

    private static async Task<string> SubmitAsync(string yaml, IObjectStore objects)
    {
        var plan = Plan.Build(SpecificationReader.Read(yaml, "benchmark", []));
        var submission = await Submission.WriteAsync(
            plan,
            PlanSummary.Of(plan),
            InputFile.Read,
            new ArtefactStore(objects),
            CancellationToken.None);
        var record = SweepRecord.Start(
            submission.Name,
            submission.Specification,
            submission.Plan,
            [],
            [],
            TimeProvider.System.GetUtcNow(),
            trace: null);
        await new SweepStore(objects).TryCreateAsync(submission.Id, record, CancellationToken.None);
        return submission.Id;
    }

    private static string Yaml(int trials, string[] methods)
    {
        var seeds = Math.Min(trials, MaxSeeds) / methods.Length;
        var scenarios = (trials + MaxSeeds - 1) / MaxSeeds;
        var values = Enumerable.Range(1, scenarios).Select(i => (0.5 + (0.01 * i)).ToString(CultureInfo.InvariantCulture));
        return $$"""
            name: empty
            target: { data: "phantom:lesions", trainImages: 24 }
            architecture: resnet20
            width: 0.125
            sources:
              - { name: a, pretrain: { data: "phantom:opacities", trainImages: 24, epochs: 1 } }
              - { name: b, pretrain: { data: "phantom:vessels", trainImages: 24, epochs: 1 } }
            methods: [{{string.Join(", ", methods)}}]
            seeds: {{seeds}}
            kernelWeights: { batchSize: 8 }
            fineTune: { batchSize: 8 }
            vary: { kernelWeights.anchorWeight: [{{string.Join(", ", values)}}] }
            """;
    }
}
