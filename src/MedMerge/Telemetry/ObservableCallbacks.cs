using System.Collections.Concurrent;

namespace MedMerge.Telemetry;

/// <summary>Callbacks that are polled whenever an observable instrument is collected.</summary>
internal sealed class ObservableCallbacks<T>
{
    private readonly ConcurrentDictionary<object, Func<IEnumerable<T>>> _readers = new();

    /// <summary>Adds a callback; disposing of the result removes it.</summary>
    public IDisposable Add(Func<IEnumerable<T>> read)
    {
        var registration = new Registration(this);
        _readers[registration] = read;
        return registration;
    }

    /// <summary>What all callbacks give.</summary>
    public IEnumerable<T> Read() => _readers.Values.SelectMany(read => read());

    private sealed class Registration(ObservableCallbacks<T> owner) : IDisposable
    {
        public void Dispose() => owner._readers.TryRemove(this, out _);
    }
}
