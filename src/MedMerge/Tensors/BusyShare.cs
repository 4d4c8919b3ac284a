using System.Diagnostics;

namespace MedMerge.Tensors;

/// <summary>The share of the last seconds that one thread was busy. That thread reports its work; any thread may read.</summary>
internal sealed class BusyShare
{
    /// <summary>The share of a shorter time would jump about.</summary>
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private long _busy; // ticks of Stopwatch: finished work
    private long _since; // when the work under way began; 0 for none
    private (long Time, long Busy) _start = (Stopwatch.GetTimestamp(), 0);
    private (long Time, long Busy) _next = (Stopwatch.GetTimestamp(), 0);

    /// <summary>Work begins.</summary>
    public void Begin()
    {
        lock (_gate) _since = Stopwatch.GetTimestamp();
    }

    /// <summary>Work has ended.</summary>
    public void End()
    {
        lock (_gate)
        {
            _busy += Stopwatch.GetTimestamp() - _since;
            _since = 0;
        }
    }

    /// <summary>0 to 1, over the last one or two windows.</summary>
    public double Read()
    {
        lock (_gate)
        {
            var now = Stopwatch.GetTimestamp();
            var busy = _busy + (_since == 0 ? 0 : now - _since);
            if (Stopwatch.GetElapsedTime(_next.Time, now) > Window) (_start, _next) = (_next, (now, busy));
            return now == _start.Time ? 0 : (busy - _start.Busy) / (double)(now - _start.Time);
        }
    }
}
