using System.Collections.Concurrent;
using MedMerge.Testing;

namespace MedMerge.Cluster.Tests;

/// <summary>
/// Kills and stops the processes of a cluster, one about every eight seconds, and starts again what is missing. A seed
/// decides what happens to which, and when.
/// </summary>
internal sealed class RandomFaults(int seed, TestCluster cluster, AzuriteServer azurite)
{
    private const int Silos = 3;
    private const string KillAzurite = "kill Azurite";
    private static readonly TimeSpan MinPause = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(12);
    private static readonly TimeSpan MaxStop = TimeSpan.FromSeconds(15);
    private static readonly string[] Kinds =
        ["kill silo", "kill silo", "kill silo", "stop silo", "stop silo", "kill gateway", KillAzurite];

    private readonly Random _random = new(seed);
    private readonly ConcurrentDictionary<SiloProcess, Task> _stopped = new();
    private readonly List<string> _done = [];
    private ServiceProcess _gateway = null!;

    /// <summary>How many there were of each kind.</summary>
    public string Summary =>
        string.Join(", ", _done.CountBy(kind => kind).OrderBy(kind => kind.Key).Select(kind => $"{kind.Key} {kind.Value}"));

    public int Count => _done.Count;

    /// <summary>Azurite keeps its index in memory for some seconds: killed, it forgets what it had acknowledged.</summary>
    public bool HaveKilledAzurite => _done.Contains(KillAzurite);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Starts the cluster; gives its gateway.</summary>
    public async Task<ServiceProcess> StartAsync()
    {
        await cluster.StartAsync(Silos);
        return _gateway = await cluster.StartGatewayAsync();
    }

    /// <summary>Goes on until the sweep has ended.</summary>
    /// <param name="hasEnded">Asked before each fault.</param>
    public async Task RunAsync(Func<Task<bool>> hasEnded)
    {
        while (true)
        {
            var pause = MinPause + ((MaxPause - MinPause) * _random.NextDouble());
            await Task.Delay(pause, Cancellation);
            if (await hasEnded()) break;
            await CauseAsync(Kinds[_random.Next(Kinds.Length)]);
            Replace();
        }
        await Task.WhenAll(_stopped.Values);
        Replace();
    }

    /// <summary>A gateway that answers, for whoever reads the results.</summary>
    public async Task<ServiceProcess> GatewayAsync()
    {
        await _gateway.ReadyAsync();
        return _gateway;
    }

    private async Task CauseAsync(string kind)
    {
        var silos = cluster.Silos.Where(silo => !silo.HasExited && !_stopped.ContainsKey(silo)).ToList();
        var victim = _random.Next(Silos);
        var stop = MaxStop * _random.NextDouble();
        _done.Add(kind);
        switch (kind)
        {
            case KillAzurite:
                await azurite.RestartAsync();
                break;
            case "kill gateway":
                await _gateway.KillAsync();
                _gateway = cluster.BeginGateway();
                break;
            case "kill silo" when silos.Count > 0:
                await silos[victim % silos.Count].KillAsync();
                break;
            case "stop silo" when silos.Count > 0:
                _stopped[silos[victim % silos.Count]] = StopAsync(silos[victim % silos.Count], stop);
                break;
        }
    }

    private async Task StopAsync(SiloProcess silo, TimeSpan duration)
    {
        await silo.SignalAsync("STOP");
        await Task.Delay(duration, Cancellation);
        await silo.SignalAsync("CONT");
        _stopped.TryRemove(silo, out _);
    }

    /// <summary>A silo that was killed, or that ended itself after a stop, is started again as a supervisor does.</summary>
    private void Replace()
    {
        while (cluster.Silos.Count(silo => !silo.HasExited) < Silos) cluster.Begin();
    }
}
