using MedMerge.Testing;

namespace MedMerge.Cluster.Tests;

/// <summary>A silo as a process of its own, to be killed, stopped and woken.</summary>
public sealed class SiloProcess : ServiceProcess
{
    private SiloProcess(string program, int port, int gatewayPort, Dictionary<string, string> environment)
        : base(program, "silo", environment)
    {
        Port = port;
        GatewayPort = gatewayPort;
    }

    /// <summary>Where other silos connect; grains' answers name the silo by it.</summary>
    public int Port { get; }

    /// <summary>Where clients connect.</summary>
    public int GatewayPort { get; }

    public static SiloProcess Start(IReadOnlyDictionary<string, string> environment, string? killAt = null)
    {
        var port = FreePorts.Take();
        var gatewayPort = FreePorts.Take();
        var all = new Dictionary<string, string>(environment)
        {
            ["Orleans__Endpoints__AdvertisedIPAddress"] = "127.0.0.1",
            ["Orleans__Endpoints__SiloPort"] = $"{port}",
            ["Orleans__Endpoints__GatewayPort"] = $"{gatewayPort}",
        };
        if (killAt is not null) all["KILL_AT"] = killAt;
        return new SiloProcess(killAt is null ? "MedMerge.Silo" : "MedMerge.FaultySilo", port, gatewayPort, all);
    }
}
