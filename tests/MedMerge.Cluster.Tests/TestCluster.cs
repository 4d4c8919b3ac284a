using MedMerge.Experiments;
using MedMerge.Grains;
using MedMerge.Storage;
using MedMerge.Storage.Tests;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using StackExchange.Redis;

namespace MedMerge.Cluster.Tests;

/// <summary>Silos as processes over a real Redis-compatible server and a real blob service, with a client of theirs in this process.</summary>
public sealed class TestCluster : IAsyncDisposable
{
    private readonly Dictionary<string, string> _environment;
    private readonly string _id = "test-" + Guid.NewGuid().ToString("N")[..12];
    private readonly string _redis;
    private IHost? _client;

    /// <param name="blobs">The blob service as the silos see it: Azurite itself, or a proxy before it.</param>
    public TestCluster(GarnetServer garnet, AzuriteServer azurite, Uri? blobs = null, Dictionary<string, string>? settings = null)
    {
        azurite.SkipWhereMissing();
        _redis = garnet.ConnectionString;
        Container = _id;
        Connection = AzuriteServer.ConnectionString(azurite.Address);
        _environment = new Dictionary<string, string>(settings ?? [])
        {
            ["Orleans__ClusterId"] = _id,
            ["Orleans__ServiceId"] = _id,
            ["Orleans__Clustering__ProviderType"] = "Redis",
            ["Orleans__Clustering__ServiceKey"] = "redis",
            ["Orleans__Metadata__device"] = "cpu",
            ["ConnectionStrings__redis"] = _redis,
            ["ConnectionStrings__blobs"] = $"{AzuriteServer.ConnectionString(blobs ?? azurite.Address)}ContainerName={Container}",
        };
    }

    public List<SiloProcess> Silos { get; } = [];

    public string Container { get; }

    private string Connection { get; }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Starts so many more silos and waits for them.</summary>
    public async Task<TestCluster> StartAsync(int silos)
    {
        var started = Enumerable.Range(0, silos).Select(_ => SiloProcess.Start(_environment)).ToList();
        Silos.AddRange(started);
        foreach (var silo in started) await silo.ReadyAsync();
        return this;
    }

    /// <summary>The store, past any proxy.</summary>
    public async Task<IObjectStore> StoreAsync() => await AzureBlobStore.OpenAsync(Connection, Container, AzuriteServer.Options(), Cancellation);

    public async Task<IGrainFactory> GrainsAsync()
    {
        if (_client is null)
        {
            var builder = Host.CreateEmptyApplicationBuilder(null);
            builder.UseOrleansClient(client =>
            {
                client.UseRedisClustering(options => options.ConfigurationOptions = ConfigurationOptions.Parse(_redis));
                client.Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (_id, _id));
                client.UseConnectionRetryFilter(async (_, cancellation) =>
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(500), cancellation);
                    return true;
                });
            });
            _client = builder.Build();
            await _client.StartAsync(Cancellation);
        }
        return _client.Services.GetRequiredService<IGrainFactory>();
    }

    /// <summary>Submits a specification of phantoms.</summary>
    public async Task<string> SubmitAsync(string yaml)
    {
        var submission = await Submission.WriteAsync(SpecificationReader.Read(yaml, "it", []), InputFile.Read, new ArtefactStore(await StoreAsync()), Cancellation);
        var sweep = (await GrainsAsync()).GetGrain<ISweepGrain>(submission.Id);
        await RetryAsync(() => sweep.StartAsync(new SweepStart(submission.Name, submission.Specification)));
        return submission.Id;
    }

    /// <summary>Where a sweep is, asked until somebody answers.</summary>
    public async Task<SweepStatus> StatusAsync(string id)
    {
        var sweep = (await GrainsAsync()).GetGrain<ISweepGrain>(id);
        SweepStatus? status = null;
        await RetryAsync(async () => status = await sweep.StatusAsync(-1));
        return status!;
    }

    /// <summary>Waits until every trial has ended.</summary>
    public async Task<SweepStatus> EndAsync(string id, TimeSpan deadline)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var status = await StatusAsync(id);
            if (status.HasEnded) return status;
            if (TimeProvider.System.GetElapsedTime(start) > deadline) Assert.Fail($"The sweep has not ended after {deadline}: {Describe(status)}\n{string.Join("\n\n", Silos.Select(silo => silo.Log))}");
            await Task.Delay(TimeSpan.FromMilliseconds(200), Cancellation);
        }
    }

    /// <summary>Every stage's output by its key: the list of its files with their hashes, so equal lists are equal bytes.</summary>
    public async Task<SortedDictionary<string, string>> OutputsAsync() => await OutputsAsync(await StoreAsync());

    public static async Task<SortedDictionary<string, string>> OutputsAsync(IObjectStore store)
    {
        var outputs = new SortedDictionary<string, string>(StringComparer.Ordinal);
        await foreach (var found in store.ListAsync(StageStore.Prefix, Cancellation))
            outputs[found.Name] = System.Text.Encoding.UTF8.GetString((await store.ReadAsync(found.Name, Cancellation))!.Content);
        return outputs;
    }

    public static string Describe(SweepStatus status) => $"{status.State} {status.Reason} " + string.Join("; ", status.Trials.Select(trial =>
        $"{trial.Number} {trial.Method} {trial.State} attempt {trial.Attempt} {trial.Progress?.Stage} {trial.Progress?.Epoch}/{trial.Progress?.Epochs} {trial.Reason}"));

    public async ValueTask DisposeAsync()
    {
        if (_client is not null)
        {
            using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            await _client.StopAsync(deadline.Token);
            _client.Dispose();
        }
        foreach (var silo in Silos) await silo.DisposeAsync();
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
            catch (Exception error) when (error is TimeoutException or OrleansException or Orleans.Runtime.ClientNotAvailableException && !deadline.IsCancellationRequested)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(300), deadline.Token);
            }
        }
    }
}
