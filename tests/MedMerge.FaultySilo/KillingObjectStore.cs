using System.Diagnostics;
using System.Runtime.InteropServices;
using MedMerge.Storage;

namespace MedMerge.FaultySilo;

/// <summary>Where a process dies.</summary>
/// <param name="When">
/// <c>before</c> the write, <c>after</c> it and before anybody hears of it; or <c>device</c>: instead of dying it fails as a
/// broken device does.
/// </param>
/// <param name="Kind">
/// What is written: <c>artefacts</c>, <c>stages</c>, <c>checkpoints</c>, <c>pointer</c>, <c>sweeps</c> or <c>schedules</c>.
/// </param>
/// <param name="Number">At which write of that kind, from 1.</param>
internal sealed record KillPoint(string When, string Kind, int Number)
{
    public static KillPoint Parse(string text) => text.Split(':') is [var when, var kind, var number]
        ? new KillPoint(when, kind, int.Parse(number, System.Globalization.CultureInfo.InvariantCulture))
        : throw new FormatException($"KILL_AT is '{text}'.");
}

/// <summary>Ends the process at a point, as SIGKILL does.</summary>
internal sealed class KillingObjectStore(IObjectStore inner, KillPoint point) : IObjectStore
{
    private int _writes;

    public Task<StoredObject?> ReadAsync(string name, CancellationToken cancellation) => inner.ReadAsync(name, cancellation);

    public Task<string?> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
        WriteAsync(name, () => inner.TryCreateAsync(name, content, cancellation));

    public Task<ObjectProperties?> GetPropertiesAsync(string name, CancellationToken cancellation) =>
        inner.GetPropertiesAsync(name, cancellation);

    public Task WriteAsync(string name, Stream content, CancellationToken cancellation) =>
        inner.WriteAsync(name, content, cancellation);

    public Task<string?> TryReplaceAsync(string name, ReadOnlyMemory<byte> content, string etag, CancellationToken cancellation) =>
        WriteAsync(name, () => inner.TryReplaceAsync(name, content, etag, cancellation));

    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellation) => inner.ListAsync(prefix, cancellation);

    public Task DeleteAsync(string name, CancellationToken cancellation) => inner.DeleteAsync(name, cancellation);

    public Task<bool> TryDeleteAsync(ObjectInfo listed, CancellationToken cancellation) =>
        inner.TryDeleteAsync(listed, cancellation);

    private async Task<string?> WriteAsync(string name, Func<Task<string?>> write)
    {
        var isHere = KindOf(name) == point.Kind && Interlocked.Increment(ref _writes) == point.Number;
        if (isHere && point.When == "device") throw new ExternalException("CUDA error: an illegal memory access was encountered");
        if (isHere && point.When == "before") Kill();
        var etag = await write().ConfigureAwait(false);
        if (isHere) Kill();
        return etag;
    }

    private static string KindOf(string name) => name.Split('/') switch
    {
        ["checkpoints", _, "pointer"] => "pointer",
        var parts => parts[0],
    };

    private static void Kill() => Process.GetCurrentProcess().Kill();
}
