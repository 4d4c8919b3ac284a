using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace MedMerge.Grains.Nodes;

/// <summary>
/// Lets the node leave where its device hangs: a call into a driver that never returns can't be cancelled, and everything that is given to the node would wait for it for ever.
/// </summary>
internal sealed class DeviceStallMonitor(Devices devices, DeviceHealth deviceHealth, IOptions<NodeOptions> options, TimeProvider time) : BackgroundService
{
    private const int LooksInDeadline = 20;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var deadline = options.Value.StallDeadline;
        using var timer = new PeriodicTimer(deadline / LooksInDeadline, time);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            if (devices.TimeSinceProgress < deadline) continue;
            deviceHealth.ReportFailure(new Failure(FailureKind.NodeBad, $"The device '{options.Value.Device}' has not finished a step for {deadline}: it hangs."));
            return;
        }
    }
}
