namespace MedMerge.Data;

/// <summary>
/// Which training images a shard takes in which step. A shard owns a fixed part of the data, and its batches depend on
/// (seed, epoch, step, shard) alone: not on nodes, nor on the order of answers. A last batch of one image joins the one before it: batch
/// norm has no variance over one image whose feature map is a single pixel.
/// </summary>
internal sealed class ShardPlan
{
    private readonly ulong _seed;
    private readonly int _batchPerShard;
    private readonly int[][] _parts;
    private readonly int[]? _labels;
    private readonly Order?[] _orders; // each shard's last one: a training asks for one epoch after the other

    /// <param name="images">Training images.</param>
    /// <param name="shards">Parts; the images are dealt out in random order, so part sizes differ by one at most.</param>
    /// <param name="batchSize">Images in a step over all shards; a multiple of <paramref name="shards"/>.</param>
    /// <param name="labels">Of all images, where an epoch is to have equally many of each class; null where it has each image once.</param>
    public ShardPlan(int images, int shards, int batchSize, ulong seed, int[]? labels = null)
    {
        if (shards < 1 || shards > images)
            throw new InputException($"shards is {shards}; with {images} training images it can be 1 to {images}.");
        if (batchSize < shards || batchSize % shards != 0)
            throw new InputException($"batchSize is {batchSize}; it must be a multiple of shards ({shards}).");
        _seed = seed;
        _batchPerShard = batchSize / shards;
        _labels = labels;
        var order = new RandomStream(seed, StreamKeys.Shards).Permutation(images);
        _parts = [.. Enumerable.Range(0, shards).Select(shard => order.Where((_, i) => i % shards == shard).ToArray())];
        _orders = new Order?[shards];
        StepsPerEpoch = _parts.Max(part => Steps(part.Length));
    }

    /// <summary>The number of shards.</summary>
    public int Shards => _parts.Length;

    /// <summary>Steps until every shard has seen each of its images once.</summary>
    public int StepsPerEpoch { get; }

    /// <summary>The images of one shard's step, possibly none in the last step of an epoch.</summary>
    public int[] Batch(int epoch, int step, int shard)
    {
        var part = _parts[shard];
        var steps = Steps(part.Length);
        if (step >= steps) return [];
        var first = step * _batchPerShard;
        var end = step == steps - 1 ? part.Length : first + _batchPerShard;
        return GetOrder(epoch, shard).Images[first..end];
    }

    private Order GetOrder(int epoch, int shard)
    {
        if (_orders[shard] is { } last && last.Epoch == epoch) return last;
        var part = _parts[shard];
        var random = new RandomStream(_seed, StreamKeys.Batches, (ulong)epoch, (ulong)shard);
        var order = random.Permutation(part.Length);
        var images = _labels is null ? part : Balance(part, _labels, random);
        return _orders[shard] = new Order(epoch, Array.ConvertAll(order, i => images[i]));
    }

    /// <summary>
    /// As many images as a part has, equally many of each class in it, but for one. Of a class none comes once more before all others have
    /// come as often.
    /// </summary>
    private static int[] Balance(int[] part, int[] labels, RandomStream random)
    {
        var classes = part.GroupBy(image => labels[image]).OrderBy(images => images.Key).Select(images => images.ToArray()).ToArray();
        var (each, rest) = Math.DivRem(part.Length, classes.Length);
        var balanced = new List<int>(part.Length);
        foreach (var (place, chosen) in random.Permutation(classes.Length).Index())
        {
            var images = classes[chosen];
            var end = balanced.Count + each + (place < rest ? 1 : 0);
            while (balanced.Count < end)
                balanced.AddRange(random.Permutation(images.Length).Take(end - balanced.Count).Select(i => images[i]));
        }
        return [.. balanced];
    }

    /// <summary>A shard's images in the order of an epoch.</summary>
    private sealed record Order(int Epoch, int[] Images);

    private int Steps(int images)
    {
        var (whole, rest) = Math.DivRem(images, _batchPerShard);
        return rest == 0 || (rest == 1 && whole > 0) ? whole : whole + 1;
    }
}
