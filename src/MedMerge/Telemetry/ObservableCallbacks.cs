using System.Collections.Concurrent;

namespace MedMerge.Telemetry;

/// <summary>Those who are asked whenever a metric is read.</summary>
public sealed class ObservableCallbacks<T>
{
    private readonly ConcurrentDictionary<object, Func<IEnumerable<T>>> _readers = new();

    /// <summary>Asks another one, until what is returned is disposed.</summary>
    public IDisposable Add(Func<IEnumerable<T>> read)
    {
        var registration = new Registration(this);
        _readers[registration] = read;
        return registration;
    }

    /// <summary>Asks all.</summary>
    public IEnumerable<T> Read() => _readers.Values.SelectMany(read => read());

    private sealed class Registration(ObservableCallbacks<T> owner) : IDisposable
    {
        public void Dispose() => owner._readers.TryRemove(this, out _);
    }
}
