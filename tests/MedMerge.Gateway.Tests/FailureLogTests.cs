using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using MedMerge.Gateway.Connections;
using MedMerge.Gateway.Endpoints;
using MedMerge.Gateway.Queries;
using MedMerge.Grains;
using MedMerge.Grains.Hosting;
using MedMerge.Storage;
using MedMerge.Testing;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace MedMerge.Gateway.Tests;

/// <summary>What the gateway catches and answers in its own words keeps its exception.</summary>
public sealed class FailureLogTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-gateway-").FullName;
    private readonly RecordingLogger _log = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_damaged_record_is_listed_as_such_and_logged_once()
    {
        var store = new FolderObjectStore(_folder);
        var sweeps = new SweepStore(store);
        var record = SweepRecord.Start("torn", "spec", "plan", [], [], DateTimeOffset.UnixEpoch, trace: null);
        await sweeps.TryCreateAsync("torn", record, Cancellation);
        await File.WriteAllTextAsync(Path.Combine(_folder, SweepStore.Prefix, "torn"), "{", Cancellation);
        var queries = new SweepQueries(sweeps, _log.CreateLogger<SweepQueries>());

        await queries.ListAsync(limit: 10, after: null, Cancellation);
        var listed = Assert.Single(await queries.ListAsync(limit: 10, after: null, Cancellation));

        Assert.Equal(WorkState.Damaged, listed.State);
        Assert.IsType<InvalidDataException>(Assert.Single(_log.Lines).Error);
    }

    [Fact]
    public async Task An_event_stream_that_ends_because_of_its_grain_is_logged_and_one_that_the_client_leaves_is_not()
    {
        var first = new SweepStatus("id", "name", WorkState.Running, 1, 0, null, new TrialCounts(0), [], null, SweepLimits.None, 0);
        var failure = new TimeoutException("no answer");
        var events = new SweepEvents("id", new SilentSweep(Task.FromException<SweepStatus>(failure)), _log.CreateLogger<SweepEvents>());
        Assert.Single(await events.WatchAsync(first, withTrials: false, CancellationToken.None, Cancellation).ToListAsync(Cancellation));
        Assert.Same(failure, Assert.Single(_log.Lines).Error);

        using var left = new CancellationTokenSource();
        await left.CancelAsync();
        var pending = new TaskCompletionSource<SweepStatus>();
        events = new SweepEvents("id", new SilentSweep(pending.Task), _log.CreateLogger<SweepEvents>());
        Assert.Single(await events.WatchAsync(first, withTrials: false, left.Token, Cancellation).ToListAsync(Cancellation));
        Assert.Single(_log.Lines);
    }

    [Fact]
    public async Task Readiness_keeps_the_exceptions_of_its_probes()
    {
        using var loggers = LoggerFactory.Create(logging => logging.AddProvider(_log));
        var settings = new ConfigurationBuilder().Build();
        using var store = new StoreConnection(settings, TimeProvider.System, _log.CreateLogger<StoreConnection>());
        using var cluster = new ClusterConnection(settings, store, loggers, TimeProvider.System);
        var time = new FakeTimeProvider();
        var closed = new ClosedStore();
        var check = new ReadyCheck(cluster, closed, time);

        var result = await check.CheckHealthAsync(new HealthCheckContext(), Cancellation);

        Assert.Equal(HealthStatus.Unhealthy, result.Status);
        Assert.Contains("The store does not answer: the disk is gone", result.Description, StringComparison.Ordinal);
        Assert.IsType<IOException>(result.Exception);

        // Anyone may ask as often as they like.
        for (var i = 0; i < 100; i++) await check.CheckHealthAsync(new HealthCheckContext(), Cancellation);
        Assert.Equal(1, closed.Reads);
        time.Advance(ReadyCheck.Validity);
        await check.CheckHealthAsync(new HealthCheckContext(), Cancellation);
        Assert.Equal(2, closed.Reads);
    }

    [Fact]
    public async Task A_client_that_resets_its_connection_is_no_error_of_the_gateway()
    {
        var services = new ServiceCollection().AddLogging().AddProblemDetails().BuildServiceProvider();
        var handler = new GatewayExceptionHandler(
            services.GetRequiredService<IProblemDetailsService>(), _log.CreateLogger<GatewayExceptionHandler>());
        var context = new DefaultHttpContext { RequestServices = services };

        var reset = new ConnectionResetException("reset by peer", new SocketException());
        Assert.True(await handler.TryHandleAsync(context, reset, Cancellation));

        Assert.Equal(499, context.Response.StatusCode);
        var line = Assert.Single(_log.Lines);
        Assert.Equal((LogLevel.Debug, reset), (line.Level, line.Error));
    }

    [Fact]
    public void Without_a_store_it_refuses_to_start()
    {
        var refused = Assert.Throws<InputException>(() => GatewayApp.Build(["--urls=http://127.0.0.1:0"]));
        Assert.StartsWith("No store is configured", refused.Message, StringComparison.Ordinal);
        refused = Assert.Throws<InputException>(() => GatewayApp.Build(["--urls=http://127.0.0.1:0", "--ConnectionStrings:blobs=a=b"]));
        Assert.StartsWith("The connection to the blob store can't be understood", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_gateway_with_another_store_than_its_cluster_stays_unready_and_says_so()
    {
        await using var cluster = await LocalCluster.StartAsync(
            new FolderObjectStore(Path.Combine(_folder, "nodes")), TestDevice.Name, log: false, Cancellation);
        await using var app = await RunningGateway.LaunchAsync(
            "--urls=http://127.0.0.1:0",
            "--Orleans:Clustering:ProviderType=Static",
            $"--Orleans:Clustering:Gateways:0=127.0.0.1:{cluster.GatewayPort}",
            $"--Store:Folder={Path.Combine(_folder, "own")}");
        using var client = RunningGateway.CreateClient(app);
        var problem = "";
        for (var attempt = 0; attempt < 300 && !problem.Contains("another store", StringComparison.Ordinal); attempt++)
        {
            using var ready = await client.GetAsync("/health/ready", Cancellation);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
            problem = await ready.Content.ReadAsStringAsync(Cancellation);
            await Task.Delay(200, Cancellation);
        }
        Assert.Contains("its nodes use another store than this gateway", problem, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync("/api/v1/nodes", Cancellation)).StatusCode);
    }

    [Fact]
    public async Task A_taken_port_is_a_line_that_names_the_setting()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        string[] arguments = [Repository.Program("MedMerge.Gateway"), $"--urls=http://127.0.0.1:{port}", $"--Store:Folder={_folder}"];
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(Cancellation);
        var error = await process.StandardError.ReadToEndAsync(Cancellation);
        await process.WaitForExitAsync(Cancellation);

        Assert.Equal(2, process.ExitCode);
        Assert.Matches($@"^error: .*127\.0\.0\.1:{port}.* Choose another address with --urls or ASPNETCORE_URLS\.\s*$", error);
        await output;
    }

    /// <summary>Answers every question for its status the same way.</summary>
    private sealed class SilentSweep(Task<SweepStatus> answer) : ISweepGrain
    {
        public Task<SweepStatus> StatusAsync(long knownVersion) => answer;

        public Task StartAsync(StartSweep start) => throw new NotSupportedException();

        public Task<SweepStatus> PauseAsync() => throw new NotSupportedException();

        public Task<SweepStatus> ResumeAsync() => throw new NotSupportedException();

        public Task<SweepStatus> CancelAsync() => throw new NotSupportedException();

        public Task<SweepStatus> RepairAsync(string stage) => throw new NotSupportedException();

        public Task<TrialPage> TrialsAsync(TrialQuery query) => throw new NotSupportedException();

        public Task<SweepStatus> RetryAsync(TrialChoice trials) => throw new NotSupportedException();

        public Task<SweepStatus> SkipAsync(int number) => throw new NotSupportedException();

        public Task<SweepStatus> LimitAsync(SweepLimits limits) => throw new NotSupportedException();

        public Task<SweepStatus> ExtendAsync(StartSweep extended) => throw new NotSupportedException();

        public Task WakeAsync() => throw new NotSupportedException();
    }

    private sealed class ClosedStore : IObjectStore
    {
        public int Reads { get; private set; }

        public Task<StoredObject?> ReadAsync(string name, CancellationToken cancellation)
        {
            Reads++;
            throw new IOException("the disk is gone");
        }

        public Task<string?> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
            throw new NotSupportedException();

        public Task<ObjectProperties?> GetPropertiesAsync(string name, CancellationToken cancellation) =>
            throw new NotSupportedException();

        public Task WriteAsync(string name, Stream content, CancellationToken cancellation) => throw new NotSupportedException();

        public Task<string?> TryReplaceAsync(string name, ReadOnlyMemory<byte> content, string etag, CancellationToken cancellation) =>
            throw new NotSupportedException();

        public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellation) => throw new NotSupportedException();

        public Task DeleteAsync(string name, CancellationToken cancellation) => throw new NotSupportedException();

        public Task<bool> TryDeleteAsync(ObjectInfo listed, CancellationToken cancellation) =>
            throw new NotSupportedException();
    }
}
