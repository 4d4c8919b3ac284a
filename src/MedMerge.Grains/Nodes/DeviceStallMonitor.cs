using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace MedMerge.Grains.Nodes;

/// <summary>
/// Lets the node leave when its device hangs: a driver call that never returns can't be cancelled, and all work of the
/// node would wait for it.
/// </summary>
internal sealed class DeviceStallMonitor(
    Devices devices,
    DeviceHealth deviceHealth,
    IOptions<NodeOptions> options,
    TimeProvider time)
    : BackgroundService
{
    private const int ChecksPerDeadline = 20;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var deadline = options.Value.StallDeadline;
        using var timer = new PeriodicTimer(deadline / ChecksPerDeadline, time);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            if (devices.TimeSinceProgress < deadline) continue;
            var reason = $"The device '{options.Value.Device}' has not finished a step for {deadline}: it hangs.";
            deviceHealth.ReportFailure(new Failure(FailureKind.NodeBad, reason));
            return;
        }
    }
}
