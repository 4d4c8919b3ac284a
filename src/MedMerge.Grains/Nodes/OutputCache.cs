using MedMerge.Experiments.Stages;
using MedMerge.Storage;
using MedMerge.Telemetry;
using Microsoft.Extensions.Options;

namespace MedMerge.Grains.Nodes;

/// <summary>
/// Stages' outputs in this node's memory, prepared kernels above all: the trials of a sweep share their sources, stages
/// their inputs, and need not read them again. The least recently used are evicted first.
/// </summary>
internal sealed class OutputCache(StageStore store, IOptions<NodeOptions> options)
{
    private readonly long _limit = options.Value.OutputCacheMiB << 20;
    private readonly Lock _gate = new();
    private readonly LinkedList<(string Key, StageOutput Output)> _recent = [];
    private long _bytes;

    /// <summary>A stage's output.</summary>
    /// <exception cref="MissingOutputException">It is missing in the store or damaged there; the next attempt computes it
    /// again.</exception>
    public async Task<StageOutput> GetAsync(Stage stage, CancellationToken cancellation) =>
        await FindAsync(stage.Key, cancellation).ConfigureAwait(false)
        ?? await store.GetOrForgetAsync(stage, cancellation).ConfigureAwait(false);

    /// <summary>A stage's output by its key; null where it is missing in the store or damaged there.</summary>
    public async Task<StageOutput?> FindAsync(string key, CancellationToken cancellation)
    {
        lock (_gate)
        {
            if (Find(key) is { } known)
            {
                _recent.Remove(known);
                _recent.AddFirst(known);
                Instruments.CacheAsked("outputs", isHit: true);
                return known.Value.Output;
            }
        }
        Instruments.CacheAsked("outputs", isHit: false);
        var output = await store.FindAsync(key, cancellation).ConfigureAwait(false);
        if (output is not null) Add(key, output);
        return output;
    }

    /// <summary>Keeps an output that is in the store.</summary>
    public void Add(string key, StageOutput output)
    {
        lock (_gate)
        {
            if (Find(key) is not null || Size(output) > _limit) return;
            _recent.AddFirst((key, output));
            for (_bytes += Size(output); _bytes > _limit; _recent.RemoveLast()) _bytes -= Size(_recent.Last!.Value.Output);
        }
    }

    /// <summary>How many of these stages' outputs are here.</summary>
    public int CountHeld(IReadOnlyList<string> keys)
    {
        lock (_gate) return keys.Count(key => Find(key) is not null);
    }

    private LinkedListNode<(string Key, StageOutput Output)>? Find(string key)
    {
        var node = _recent.First;
        while (node is not null && node.Value.Key != key) node = node.Next;
        return node;
    }

    private static long Size(StageOutput output) => output.Files.Values.Sum(file => (long)file.Length);
}
