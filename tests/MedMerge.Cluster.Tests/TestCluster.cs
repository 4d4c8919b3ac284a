using Azure.Data.Tables;
using MedMerge.Clustering;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Specifications;
using MedMerge.Grains;
using MedMerge.Storage;
using MedMerge.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Clustering.AzureStorage;
using Orleans.Configuration;

namespace MedMerge.Cluster.Tests;

/// <summary>Silos as processes over a real storage account (Azurite), with a client of the cluster in this process.</summary>
public sealed class TestCluster : IAsyncDisposable
{
    private readonly Dictionary<string, string> _environment;
    private readonly string _id = "test-" + Guid.NewGuid().ToString("N")[..12];
    private readonly List<ServiceProcess> _others = [];
    private readonly AzuriteServer _azurite;
    private IHost? _client;

    /// <param name="blobs">The blob service as the silos see it: Azurite itself, or a proxy before it.</param>
    /// <param name="tables">The table service as the silos see it.</param>
    /// <param name="settings">Variables beside the usual ones, or in their place.</param>
    public TestCluster(AzuriteServer azurite, Uri? blobs = null, Uri? tables = null, Dictionary<string, string>? settings = null)
    {
        azurite.SkipWhereMissing();
        _azurite = azurite;
        Container = _id;
        var account = AzuriteServer.ConnectionString(blobs ?? azurite.Address, tables ?? azurite.Tables);
        _environment = new Dictionary<string, string>
        {
            ["Orleans__ClusterId"] = _id,
            ["Orleans__ServiceId"] = _id,
            ["Orleans__Metadata__device"] = "cpu",
            ["ConnectionStrings__blobs"] = $"{account}ContainerName={Container}",
            ["Node__CheckpointInterval"] = "00:00:00", // after every epoch: these runs are short
        };
        foreach (var (key, value) in settings ?? []) _environment[key] = value;
    }

    public List<SiloProcess> Silos { get; } = [];

    public string Container { get; }

    /// <summary>The table service, past any proxy.</summary>
    public TableServiceClient Tables => new(Connection);

    private string Connection => AzuriteServer.ConnectionString(_azurite.Address, _azurite.Tables);

    private static readonly TimeSpan StepDeadline = TimeSpan.FromMinutes(3);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Starts so many more silos and waits for them.</summary>
    public async Task<TestCluster> StartAsync(int silos)
    {
        var started = Enumerable.Range(0, silos).Select(_ => SiloProcess.Start(_environment)).ToList();
        Silos.AddRange(started);
        foreach (var silo in started) await silo.ReadyAsync();
        return this;
    }

    /// <summary>Starts a silo and does not wait for it.</summary>
    public SiloProcess Begin()
    {
        Silos.Add(SiloProcess.Start(_environment));
        return Silos[^1];
    }

    /// <summary>Starts a silo that kills itself at a point of its writes.</summary>
    public async Task<SiloProcess> StartFaultyAsync(string killAt)
    {
        var silo = SiloProcess.Start(_environment, killAt);
        Silos.Add(silo);
        await silo.ReadyAsync();
        return silo;
    }

    /// <summary>Starts a gateway to the cluster; it needs a silo.</summary>
    public async Task<ServiceProcess> StartGatewayAsync()
    {
        var gateway = ServiceProcess.Gateway(_environment);
        _others.Add(gateway);
        await gateway.ReadyAsync();
        return gateway;
    }

    /// <summary>Starts a gateway and does not wait for it.</summary>
    public ServiceProcess BeginGateway()
    {
        _others.Add(ServiceProcess.Gateway(_environment));
        return _others[^1];
    }

    /// <summary>The store, past any proxy.</summary>
    public async Task<IObjectStore> StoreAsync() =>
        await AzureBlobStore.OpenAsync(Connection, Container, AzuriteServer.Options(), Cancellation);

    public async Task<IGrainFactory> GrainsAsync()
    {
        if (_client is null)
        {
            var folder = _environment.GetValueOrDefault(ClusterCertificate.FolderVariable);
            _client = BuildClient(folder is null ? null : new ClusterCertificate(folder, TimeProvider.System), retries: true);
            await _client.StartAsync(Cancellation);
        }
        return _client.Services.GetRequiredService<IGrainFactory>();
    }

    /// <summary>Connects a client once and lets it go again; throws where it is not let in.</summary>
    public async Task ConnectAsync(ClusterCertificate? certificate)
    {
        using var client = BuildClient(certificate, retries: false);
        await client.StartAsync(Cancellation);
        await client.StopAsync(Cancellation);
    }

    private IHost BuildClient(ClusterCertificate? certificate, bool retries)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.UseOrleansClient(client =>
        {
            client.UseAzureStorageClustering(options => options.TableServiceClient = Tables);
            client.Configure<ClusterOptions>(options =>
            {
                options.ClusterId = _id;
                options.ServiceId = _id;
            });
            client.UseClusterTls(certificate);
            client.UseConnectionRetryFilter(async (_, cancellation) =>
            {
                if (retries) await Task.Delay(TimeSpan.FromMilliseconds(500), cancellation);
                return retries;
            });
        });
        return builder.Build();
    }

    /// <summary>Submits a specification.</summary>
    public async Task<string> SubmitAsync(string yaml)
    {
        var submission = await WriteAsync(yaml);
        return await StartAsync(submission);
    }

    /// <summary>Submits a specification and loses a file of it before any node has seen it.</summary>
    public async Task<string> SubmitWithoutAsync(string yaml, string lost)
    {
        var submission = await WriteAsync(yaml);
        var hash = ContentHash.Of(await File.ReadAllBytesAsync(lost, Cancellation));
        await (await StoreAsync()).DeleteAsync("artefacts/" + hash, Cancellation);
        return await StartAsync(submission);
    }

    private async Task<Submission> WriteAsync(string yaml)
    {
        var plan = Plan.Build(SpecificationReader.Read(yaml, "test.yaml", []));
        return await Submission.WriteAsync(plan, PlanSummary.Of(plan), InputFile.Read, new ArtefactStore(await StoreAsync()), Cancellation);
    }

    private async Task<string> StartAsync(Submission submission)
    {
        var sweep = (await GrainsAsync()).GetGrain<ISweepGrain>(submission.Id);
        await RetryAsync(() => sweep.StartAsync(new StartSweep(submission.Name, submission.Specification, submission.Plan, [])));
        return submission.Id;
    }

    /// <summary>Where a sweep is, asked until somebody answers.</summary>
    public async Task<SweepView> StatusAsync(string id)
    {
        var sweep = (await GrainsAsync()).GetGrain<ISweepGrain>(id);
        SweepView? status = null;
        await RetryAsync(async () => status = await SweepView.ReadAsync(sweep));
        return status!;
    }

    /// <inheritdoc cref="AtEpochAsync" />
    public Task<string> WeighingAsync(string id, int epochs) => AtEpochAsync(id, "weigh", epochs);

    /// <summary>Waits until a trial's training has finished so many epochs; where it has ended before, the test is void.</summary>
    /// <returns>The node of its coordinator.</returns>
    public async Task<string> AtEpochAsync(string id, string stage, int epochs)
    {
        while (true)
        {
            var status = await StatusAsync(id);
            var trial = status.Trials.FirstOrDefault(trial => trial.Progress?.Stage == stage && (trial.Progress.Epoch ?? -1) >= epochs);
            var isStale = trial is not null && Silo(trial.Progress!.Node).HasExited; // from before its death was seen
            if (trial is not null && !isStale) return trial.Progress!.Node;
            Assert.False(status.HasEnded, $"The sweep ended before its {stage} was seen.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), Cancellation);
        }
    }

    /// <summary>Waits until the record says that a node runs the first trial's stages.</summary>
    public async Task RecordedAsync(string id, string node)
    {
        var sweeps = new SweepStore(await StoreAsync());
        while (!(await sweeps.FindAsync(id, Cancellation))!.Value.Record.Trials[0].Nodes.Contains(node))
            await Task.Delay(TimeSpan.FromMilliseconds(20), Cancellation);
    }

    /// <summary>The silo that answers name so.</summary>
    public SiloProcess Silo(string node) => Silos.Single(silo => node.Contains($":{silo.Port}", StringComparison.Ordinal));

    /// <summary>Waits until the membership table says that a silo is dead.</summary>
    public async Task EvictedAsync(SiloProcess silo)
    {
        var table = Tables.GetTableClient(AzureStorageClusteringOptions.DEFAULT_TABLE_NAME);
        var filter = $"PartitionKey eq '{_id}' and Port eq '{silo.Port}' and Status eq '{nameof(SiloStatus.Dead)}'";
        while (!await table.QueryAsync<TableEntity>(filter, cancellationToken: Cancellation).AnyAsync(Cancellation))
            await Task.Delay(TimeSpan.FromMilliseconds(100), Cancellation);
    }

    /// <summary>Waits until an epoch or a stage is finished after now.</summary>
    public async Task<TimeSpan> NextStepAsync(string id)
    {
        var start = TimeProvider.System.GetTimestamp();
        var store = await StoreAsync();
        var known = new HashSet<string>();
        await foreach (var found in store.ListAsync("", Cancellation)) known.Add(found.Name);
        while (true)
        {
            await foreach (var found in store.ListAsync("", Cancellation))
                if (!known.Contains(found.Name) && IsStep(found.Name)) return TimeProvider.System.GetElapsedTime(start);
            if (TimeProvider.System.GetElapsedTime(start) > StepDeadline) Assert.Fail(await DescribeAsync("No step was finished", id));
            await Task.Delay(TimeSpan.FromMilliseconds(100), Cancellation);
        }
    }

    /// <summary>Waits until every trial has ended.</summary>
    public async Task<SweepView> EndAsync(string id, TimeSpan deadline)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var status = await StatusAsync(id);
            if (status.HasEnded) return status;
            if (TimeProvider.System.GetElapsedTime(start) > deadline)
                Assert.Fail(await DescribeAsync($"The sweep has not ended after {deadline}", id));
            await Task.Delay(TimeSpan.FromMilliseconds(200), Cancellation);
        }
    }

    /// <inheritdoc cref="StageOutputs.ReadAsync" />
    public async Task<SortedDictionary<string, string>> OutputsAsync() => await StageOutputs.ReadAsync(await StoreAsync());

    public static string Describe(SweepView status)
    {
        var trials = status.Trials.Select(trial =>
            $"{trial.Number} {trial.Method} {trial.State} attempt {trial.Attempt} "
            + $"{trial.Progress?.Stage} {trial.Progress?.Epoch}/{trial.Progress?.Epochs} {trial.Reason}");
        return $"{status.State} {status.Reason} {string.Join("; ", trials)}";
    }

    private async Task<string> DescribeAsync(string what, string id) =>
        $"{what}: {Describe(await StatusAsync(id))}\n{string.Join("\n\n", Silos.Select(silo => silo.Log))}";

    private static bool IsStep(string name) =>
        name.StartsWith(CheckpointStore.Prefix, StringComparison.Ordinal) || name.StartsWith(StageStore.Prefix, StringComparison.Ordinal);

    public async ValueTask DisposeAsync()
    {
        if (_client is not null)
        {
            using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            await _client.StopAsync(deadline.Token);
            _client.Dispose();
        }
        foreach (var process in _others.Concat(Silos)) await process.DisposeAsync();
    }

    private static async Task RetryAsync(Func<Task> call)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        deadline.CancelAfter(TimeSpan.FromMinutes(2));
        while (true)
        {
            try
            {
                await call();
                return;
            }
            catch (Exception error) when (error is TimeoutException or OrleansException && !deadline.IsCancellationRequested)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(300), deadline.Token);
            }
        }
    }
}
