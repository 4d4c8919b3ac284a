using System.Runtime.CompilerServices;
using MedMerge.Data;

namespace MedMerge.Storage.Tests.Faults;

/// <summary>What goes wrong with one call.</summary>
public enum Fault
{
    None,

    /// <summary>The service refuses before anything happened.</summary>
    Refused,

    /// <summary>It happens, and the answer is lost.</summary>
    AnswerLost,

    /// <summary>A read gives a cut body.</summary>
    BodyCut,

    /// <summary>A read gives a body with a flipped bit.</summary>
    BitFlipped,
}

/// <summary>Stands for a service failing for good, after whatever retries its client makes.</summary>
public sealed class ServiceFaultException(string message) : IOException(message);

/// <summary>
/// An object store with faults; <paramref name="decide"/> is asked at every call, by its name and number.
/// </summary>
public sealed class FaultyObjectStore(IObjectStore inner, Func<string, int, Fault> decide) : IObjectStore
{
    private int _calls;

    /// <summary>How many calls there were.</summary>
    public int Calls => _calls;

    /// <summary>Faults at random, the same ones for the same seed.</summary>
    public static FaultyObjectStore AtRate(IObjectStore inner, double rate, ulong seed)
    {
        var random = new RandomStream(seed);
        Fault[] faults = [Fault.Refused, Fault.AnswerLost, Fault.BodyCut, Fault.BitFlipped];
        return new FaultyObjectStore(inner, (_, _) => random.NextDouble() < rate ? faults[random.Below(faults.Length)] : Fault.None);
    }

    public async Task<StoredObject?> ReadAsync(string name, CancellationToken cancellation)
    {
        var fault = Next("read " + name);
        if (fault is Fault.Refused or Fault.AnswerLost) throw new ServiceFaultException($"read {name}");
        var stored = await inner.ReadAsync(name, cancellation);
        if (stored is null || stored.Content.Length == 0) return stored;
        var content = stored.Content.ToArray();
        if (fault == Fault.BitFlipped) content[content.Length / 2] ^= 4;
        return fault == Fault.BodyCut ? stored with { Content = content[..(content.Length / 2)] } : stored with { Content = content };
    }

    public Task<string?> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
        WriteAsync("create " + name, () => inner.TryCreateAsync(name, content, cancellation));

    public Task<ObjectProperties?> GetPropertiesAsync(string name, CancellationToken cancellation) =>
        inner.GetPropertiesAsync(name, cancellation);

    public Task WriteAsync(string name, Stream content, CancellationToken cancellation) => WriteAsync("write " + name, async () =>
    {
        await inner.WriteAsync(name, content, cancellation);
        return "";
    });

    public Task<string?> TryReplaceAsync(string name, ReadOnlyMemory<byte> content, string etag, CancellationToken cancellation) =>
        WriteAsync("replace " + name, () => inner.TryReplaceAsync(name, content, etag, cancellation));

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (Next("list " + prefix) == Fault.Refused) throw new ServiceFaultException($"list {prefix}");
        await foreach (var found in inner.ListAsync(prefix, cancellation)) yield return found;
    }

    public Task DeleteAsync(string name, CancellationToken cancellation) => WriteAsync("delete " + name, async () =>
    {
        await inner.DeleteAsync(name, cancellation);
        return "";
    });

    public async Task<bool> TryDeleteAsync(ObjectInfo listed, CancellationToken cancellation) =>
        await WriteAsync("delete " + listed.Name, async () =>
            await inner.TryDeleteAsync(listed, cancellation) ? "" : null) is not null;

    private async Task<string?> WriteAsync(string call, Func<Task<string?>> write)
    {
        var fault = Next(call);
        if (fault == Fault.Refused) throw new ServiceFaultException(call);
        var answer = await write();
        return fault == Fault.AnswerLost ? throw new ServiceFaultException(call) : answer;
    }

    private Fault Next(string call) => decide(call, Interlocked.Increment(ref _calls));
}
