using MedMerge.Experiments.Stages;
using MedMerge.Grains.Benchmarks;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Placement;
using MedMerge.Grains.Running;
using MedMerge.Grains.Schedules;
using MedMerge.Storage;
using MedMerge.Storage.Benchmarks;
using MedMerge.Storage.Schedules;
using MedMerge.Tensors;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Runtime.MembershipService.SiloMetadata;

namespace MedMerge.Grains.Hosting;

/// <summary>Makes a silo a node of MedMerge.</summary>
public static class GrainsHosting
{
    /// <summary>
    /// A process that stood still for longer may have been evicted: a silo is declared dead after three missed probes
    /// of a second or more.
    /// </summary>
    public static readonly TimeSpan SuspensionLimit = TimeSpan.FromSeconds(3);

    /// <summary>
    /// Calls that take longer have lost their silo; the longest wait inside one is five seconds. Shards' calls compute,
    /// and have a limit of their own.
    /// </summary>
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(20);

    /// <summary>
    /// Adds the grains with what they need. The store is the host's to add.
    /// </summary>
    /// <param name="node">Its device is named in full.</param>
    /// <param name="keepsSweeps">
    /// Whether the node resumes every active sweep in the store, or runs only those that it is asked for.
    /// </param>
    /// <param name="benchmarks">When runs of benchmarks are flagged, for a node that keeps sweeps; null for the defaults.</param>
    public static ISiloBuilder AddMedMerge(
        this ISiloBuilder silo,
        NodeOptions node,
        bool keepsSweeps,
        BenchmarkOptions? benchmarks = null)
    {
        var capacity = NodeCapacity.Of(node);
        silo.UseSiloMetadata(new Dictionary<string, string>
        {
            [DevicePlacementDirector.Device] = DeviceName.Kind(node.Device),
            [NodeCapacity.Key] = capacity.ToMetadata(),
        });
        silo.Configure<SiloMessagingOptions>(options => options.ResponseTimeout = ResponseTimeout);
        silo.Configure<ClusterMembershipOptions>(Membership);
        silo.Services.AddPlacementDirector<DevicePlacement, DevicePlacementDirector>();
        silo.Services.AddPlacementDirector<NodePlacement, NodePlacementDirector>();
        silo.Services.AddSingleton<ArtefactStore>();
        silo.Services.AddSingleton<StageStore>();
        silo.Services.AddSingleton<IStageStore>(services => services.GetRequiredService<StageStore>());
        silo.Services.AddSingleton<SweepStore>();
        silo.Services.TryAddSingleton(services => NameOwner(services.GetRequiredService<IOptions<ClusterOptions>>().Value));
        silo.Services.AddSingleton<PlanCache>();
        silo.Services.AddSingleton<PlanSummaries>();
        silo.Services.AddSingleton<Devices>();
        silo.Services.AddSingleton<OutputCache>();
        silo.Services.AddSingleton(Options.Create(node));
        silo.Services.AddSingleton(capacity);
        silo.Services.AddSingleton(new NodeLoad(capacity, overlapsLoading: keepsSweeps));
        silo.Services.AddSingleton<DeviceHealth>();
        silo.Services.AddSingleton<FailureReporter>();
        silo.Services.AddSingleton<ShardSessions>();
        silo.Services.AddSingleton<ShardedStageRunner>();
        silo.Services.AddSingleton<StageExecutor>();
        silo.Services.AddSingleton<ClusterView>();
        silo.Services.AddSingleton<LaneShares>();
        silo.Services.AddHostedService(services => services.GetRequiredService<ClusterView>());
        if (!keepsSweeps) return silo;
        silo.Services.AddHostedService<SweepRecoveryService>();
        silo.Services.AddSingleton<ScheduleStore>();
        silo.Services.AddSingleton<SchedulePlans>();
        silo.Services.AddSingleton<ScheduleRunner>();
        silo.Services.AddHostedService<ScheduleService>();
        AddBenchmarks(silo.Services, benchmarks ?? new BenchmarkOptions());
        silo.Services.AddHostedService<DeviceStallMonitor>();
        return silo;
    }

    private static void AddBenchmarks(IServiceCollection services, BenchmarkOptions options)
    {
        services.AddSingleton(Options.Create(options));
        services.AddSingleton<BenchmarkStore>();
        services.AddSingleton<BenchmarkReader>();
        services.AddSingleton<BenchmarkLease>();
        services.AddSingleton<BenchmarkRecorder>();
        services.AddSingleton<WebhookStore>();
        services.AddSingleton<WebhookSender>();
        services.AddHostedService<BenchmarkService>();
        services.AddHostedService<WebhookService>();
    }

    private static SweepOwner NameOwner(ClusterOptions cluster) => new($"{cluster.ServiceId}/{cluster.ClusterId}");

    /// <summary>
    /// A silo that was killed is declared dead after about three missed probes of a second each. A silo that hangs, or
    /// whose machine is gone, is declared dead only after a silence of three times the longest probe, because Orleans
    /// counts any message on the connection as a sign of life. See docs/operations.md.
    /// </summary>
    private static void Membership(ClusterMembershipOptions options)
    {
        options.ProbeTimeout = options.MinProbeTimeout = TimeSpan.FromSeconds(1);
        options.MaxProbeTimeout = TimeSpan.FromSeconds(1.5);
        options.NumMissedProbesLimit = 3;
        options.NumVotesForDeathDeclaration = 1;
        options.TableRefreshTimeout = TimeSpan.FromSeconds(5);
        options.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(2);
        options.NumMissedTableIAmAliveLimit = 3;
        options.DefunctSiloCleanupPeriod = TimeSpan.FromMinutes(10);
    }
}
