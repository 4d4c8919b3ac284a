using System.Collections.Concurrent;

namespace MedMerge.Merging.Files;

/// <summary>A thread's memory for one chunk of a tensor.</summary>
internal sealed class ChunkBuffers
{
    /// <summary>A chunk as a file has it.</summary>
    public byte[] Bytes { get; } = new byte[ChunkLoop.Elements * sizeof(double)];

    /// <summary>Scratch for conversions.</summary>
    public float[] Singles { get; } = new float[ChunkLoop.Elements];

    /// <summary>A source's values.</summary>
    public double[] Values { get; } = new double[ChunkLoop.Elements];

    /// <summary>What they are combined with.</summary>
    public double[] Others { get; } = new double[ChunkLoop.Elements];
}

/// <summary>
/// Runs over a tensor in chunks of a fixed size, so that no number depends on the threads, and memory not on the tensor.
/// </summary>
/// <param name="threads">How many chunks at a time.</param>
internal sealed class ChunkLoop(int threads, CancellationToken cancellation)
{
    /// <summary>A chunk's values; with its buffers it fits a core's own cache.</summary>
    public const int Elements = 1 << 14;

    private readonly ConcurrentBag<ChunkBuffers> _free = [];

    /// <summary>How loops run on these threads.</summary>
    public ParallelOptions Options { get; } = new() { MaxDegreeOfParallelism = threads, CancellationToken = cancellation };

    /// <summary>How many chunks a tensor has.</summary>
    public static long CountChunks(long elements) => (elements + Elements - 1) / Elements;

    /// <summary>Calls <paramref name="body"/> for each chunk, with the index of its first element and its length.</summary>
    public void Run(long elements, Action<long, int, ChunkBuffers> body)
    {
        ParallelLoop.RunInner(CountChunks(elements), Options, chunk =>
        {
            cancellation.ThrowIfCancellationRequested();
            var buffers = _free.TryTake(out var free) ? free : new ChunkBuffers();
            var first = chunk * Elements;
            body(first, (int)Math.Min(Elements, elements - first), buffers);
            _free.Add(buffers);
        });
    }
}
