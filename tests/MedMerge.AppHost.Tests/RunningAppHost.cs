using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using MedMerge.Storage;
using MedMerge.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Xunit.Sdk;
using Xunit.v3;

[assembly: AssemblyFixture(typeof(MedMerge.AppHost.Tests.RunningAppHost))]
[assembly: Parallelization(Mode = ParallelMode.None)]

namespace MedMerge.AppHost.Tests;

/// <summary>
/// The app host with the real orchestrator, its dashboard and a store of its own. All tests share one with the default
/// number of silos.
/// </summary>
public sealed class RunningAppHost : IAsyncLifetime
{
    /// <summary>The silos of an app host that is told no number.</summary>
    public const int DefaultSilos = 2;

    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(3);
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-apphost-").FullName;
    private readonly int _silos;
    private readonly string[] _arguments;
    private DistributedApplication? _app;

    public RunningAppHost() : this(DefaultSilos)
    {
    }

    /// <param name="arguments">What the app host's command line has besides.</param>
    private RunningAppHost(int silos, params string[] arguments)
    {
        _silos = silos;
        _arguments = arguments;
    }

    public ResourceNotificationService Notifications => App.Services.GetRequiredService<ResourceNotificationService>();

    public ResourceCommandService Commands => App.Services.GetRequiredService<ResourceCommandService>();

    /// <summary>The running replicas of the silo; a replica that is started again is another one.</summary>
    public IReadOnlyList<ResourceEvent> Silos { get; private set; } = [];

    /// <summary>The gateway's process, as the dashboard and telemetry name it.</summary>
    public string GatewayProcess { get; private set; } = "";

    /// <summary>The dashboard's pages and API.</summary>
    public Uri Dashboard => App.GetEndpoint("aspire-dashboard", "http");

    /// <summary>Where processes send their telemetry.</summary>
    public Uri TelemetryEndpoint => App.GetEndpoint("aspire-dashboard", "otlp-grpc");

    /// <summary>The gateway's API.</summary>
    public Uri Gateway => App.GetEndpoint("gateway", "http");

    /// <summary>Skips the test where the app host can't run.</summary>
    private DistributedApplication App
    {
        get
        {
            if (!HasNodeJs) Assert.Skip("Node.js is not installed: its npx starts Azurite.");
            return _app!;
        }
    }

    private static bool HasNodeJs { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, "npx")));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Another app host, with so many silos.</summary>
    public static async Task<RunningAppHost> StartAsync(int silos)
    {
        var host = new RunningAppHost(silos, $"--Parameters:silos={silos}");
        await host.InitializeAsync();
        return host;
    }

    /// <summary>Waits until every resource is healthy, and each replica of the silo.</summary>
    /// <returns>The names of the resources.</returns>
    public async Task<IReadOnlyList<string>> HealthyAsync()
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        deadline.CancelAfter(StartTimeout);
        var model = App.Services.GetRequiredService<DistributedApplicationModel>();
        var names = model.Resources
            .Where(resource => resource is ExecutableResource or ProjectResource)
            .Where(resource => !resource.HasAnnotationOfType<ExplicitStartupAnnotation>())
            .Select(resource => resource.Name)
            .ToList();
        foreach (var name in names)
        {
            var resource = await Notifications.WaitForResourceHealthyAsync(name, deadline.Token);
            if (name == "gateway") GatewayProcess = resource.ResourceId;
        }
        var silos = new Dictionary<string, ResourceEvent>();
        await Notifications.WaitForResourceAsync("silo", change => HasAllSilos(silos, change), deadline.Token);
        Silos = [.. silos.Values];
        return names;
    }

    /// <summary>Runs the <em>Start sweep</em> command with a specification.</summary>
    /// <returns>The sweep's id, which is the name of its resource.</returns>
    public async Task<string> StartSweepAsync(string specification)
    {
        var input = new InteractionInput { Name = "specification", InputType = InputType.Choice, Value = specification };
        var result = await Commands.ExecuteCommandAsync("gateway", "start-sweep", new InteractionInputCollection([input]), Cancellation);
        Assert.True(result.Success, result.Message);
        return result.Message!["Submitted as ".Length..^1];
    }

    /// <summary>Waits until a sweep's resource satisfies a condition.</summary>
    public async Task<CustomResourceSnapshot> SweepAsync(string id, Predicate<string> hasState)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        deadline.CancelAfter(StartTimeout);
        var reached = await Notifications.WaitForResourceAsync(
            id,
            change => hasState(change.Snapshot.State?.Text ?? ""),
            deadline.Token);
        return reached.Snapshot;
    }

    /// <summary>Everything that was computed, as <see cref="PlainRun" /> tells it of a run without a cluster.</summary>
    public async Task<SortedDictionary<string, string>> OutputsAsync()
    {
        return await StageOutputs.ReadAsync(await OpenStoreAsync());
    }

    /// <summary>The store that its processes use.</summary>
    public async Task<IObjectStore> OpenStoreAsync()
    {
        var connection = await App.GetConnectionStringAsync("blobs", Cancellation);
        return await AzureBlobStore.OpenAsync(connection!, AzureBlobStore.DefaultContainer, options: null, Cancellation);
    }

    public async ValueTask InitializeAsync()
    {
        if (!HasNodeJs) return;
        var specifications = Path.Combine(_folder, "specifications");
        TestSweeps.WriteTo(specifications);
        string[] arguments =
        [
            $"--MedMerge:Specifications={specifications}",
            $"--MedMerge:Data={_folder}",
            "--ASPIRE_DASHBOARD_UNSECURED_ALLOW_ANONYMOUS=true",
            $"--ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL=http://127.0.0.1:{FreePorts.Take()}",
            "--ASPIRE_VERSION_CHECK_DISABLED=true",
            "--Logging:LogLevel:Default=Warning",
            .. _arguments,
        ];
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        deadline.CancelAfter(StartTimeout);
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.MedMerge_AppHost>(
            arguments,
            (options, _) => options.DisableDashboard = false,
            deadline.Token);
        // After every epoch: these sweeps are short, and what checkpoints show of themselves is looked at.
        var silo = builder.Resources.OfType<ProjectResource>().Single(resource => resource.Name == "silo");
        builder.CreateResourceBuilder(silo).WithEnvironment("Node__CheckpointInterval", "00:00:00");
        _app = await builder.BuildAsync(deadline.Token);
        await _app.StartAsync(deadline.Token);
        await HealthyAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null) await _app.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private bool HasAllSilos(Dictionary<string, ResourceEvent> healthy, ResourceEvent change)
    {
        if (change.Snapshot.HealthStatus == HealthStatus.Healthy)
            healthy[change.ResourceId] = change;
        else
            healthy.Remove(change.ResourceId);
        return healthy.Count == _silos;
    }
}
