using System.Diagnostics;
using System.Globalization;
using MedMerge.Testing;

namespace MedMerge.ClusterBenchmarks;

/// <summary>A silo as a process of this program.</summary>
internal sealed class SiloOfTrials : IDisposable
{
    /// <summary>The argument that makes this program a silo.</summary>
    public const string Mode = "silo";

    /// <summary>The cluster's id, and its service's.</summary>
    public const string ClusterId = "trials";

    private const string Prefix = "written ";
    private readonly Process _process;
    private volatile string _written = "0 0 0 0";

    public SiloOfTrials(string blobs, int images, TimeSpan pause)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(SiloOfTrials).Assembly.Location, Mode, $"{images}", $"{pause:c}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var environment = new Dictionary<string, string>
        {
            ["Orleans__ClusterId"] = ClusterId,
            ["Orleans__ServiceId"] = ClusterId,
            ["Orleans__Metadata__device"] = "cpu",
            ["Orleans__Endpoints__AdvertisedIPAddress"] = "127.0.0.1",
            ["Orleans__Endpoints__SiloPort"] = $"{FreePorts.Take()}",
            ["Orleans__Endpoints__GatewayPort"] = $"{FreePorts.Take()}",
            ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{FreePorts.Take()}",
            ["ConnectionStrings__blobs"] = blobs,
            ["Node__Lanes"] = "1",
            ["Logging__LogLevel__Default"] = "Warning",
        };
        foreach (var (key, value) in environment) start.Environment[key] = value;
        _process = Process.Start(start)!;
        _process.OutputDataReceived += OnLine;
        _process.ErrorDataReceived += OnLine;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Resident memory in bytes.</summary>
    public long Memory
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>As <see cref="CountingStore.Counts"/>.</summary>
    public IReadOnlyList<long> Written => [.. _written.Split(' ').Select(count => long.Parse(count, CultureInfo.InvariantCulture))];

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private void OnLine(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is null) return;
        if (line.Data.StartsWith(Prefix, StringComparison.Ordinal)) _written = line.Data[Prefix.Length..];
        else Console.Error.WriteLine(line.Data);
    }
}
