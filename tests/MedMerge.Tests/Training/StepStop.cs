using System.Diagnostics.Metrics;
using MedMerge.Telemetry;

namespace MedMerge.Tests.Training;

/// <summary>
/// Cancels a training right after its n-th step, seen in the counter of samples; what other tests train at the same time does not count.
/// </summary>
internal sealed class StepStop : IDisposable
{
    private readonly AsyncLocal<bool> _isOurs = new();
    private readonly MeterListener _listener = new();
    private readonly bool _isWanted;
    private CancellationTokenSource _stop = new();
    private int _left;

    /// <param name="steps">After how many; -1 for never.</param>
    /// <param name="stage">The kind of training.</param>
    public StepStop(int steps, string stage)
    {
        _left = steps;
        _isWanted = steps >= 0;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument == Instruments.Samples) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((_, _, tags, _) =>
        {
            if (_isOurs.Value && tags.Length > 0 && Equals(tags[0].Value, stage) && --_left == 0) _stop.Cancel();
        });
        _listener.Start();
    }

    public async Task RunAsync(Func<CancellationToken, Task> run)
    {
        _isOurs.Value = true;
        try
        {
            await run(_stop.Token);
        }
        finally
        {
            if (_stop.IsCancellationRequested) _stop = new CancellationTokenSource();
        }
    }

    /// <summary>A stop that was wanted has come.</summary>
    public void AssertStopped() => Assert.True(!_isWanted || _left <= 0, "The training was never stopped.");

    public void Dispose()
    {
        _listener.Dispose();
        _stop.Dispose();
    }
}
