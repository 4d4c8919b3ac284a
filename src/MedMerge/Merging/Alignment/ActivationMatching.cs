using MedMerge.Data;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Merging.Alignment;

/// <summary>
/// Orders a source's channels so that what they give for the target's images correlates best with what the anchor's channels give there
/// (Li et al. 2016; Ainsworth et al. 2023, section 3.1). A group is matched by all values that show it: the outputs of its layers before
/// the activation, and in a residual stream the sums.
/// </summary>
internal static class ActivationMatching
{
    /// <summary>More change little, and each costs a pass through two networks.</summary>
    public const int MaxImages = 256;

    private const int BatchSize = 32;

    /// <summary>Pixels of an image are much alike: so many rows and columns of them are compared.</summary>
    private const int MaxSide = 4;

    /// <summary>Finds the order; where a group's own is as good, that stays. Device thread only.</summary>
    /// <param name="target">Whose training images are taken, evenly over the split.</param>
    /// <exception cref="ComputationException">Activations are not finite.</exception>
    public static ChannelOrder Match(
        ChannelGroups groups,
        PreparedSource anchor,
        PreparedSource source,
        ImageDataset target,
        BatchLoader loader,
        Device device,
        CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        var architecture = groups.Architecture;
        var (one, other) = (KernelFolding.Of(architecture, anchor).To(device), KernelFolding.Of(architecture, source).To(device));
        var moments = groups.Groups.Select(group => group.Values.Select(_ => new CrossMoments(group.Size, device)).ToArray()).ToArray();
        var shownAt = groups.Groups.Index()
            .SelectMany(group => group.Item.Values.Index(), (group, value) => (value.Item, Moments: moments[group.Index][value.Index]))
            .ToLookup(pair => pair.Item.Value, pair => (pair.Item.Places, pair.Moments));
        foreach (var indices in ChooseImages(target.Train.Count).Chunk(BatchSize))
        {
            DeviceThread.Yield(cancellation);
            using var batch = NewDisposeScope();
            var images = loader.Load(target.Train, indices);
            var seen = new Dictionary<int, Tensor>();
            using var features = architecture.Graph.Run(images, one.Apply, (value, tensor) =>
            {
                if (shownAt.Contains(value)) seen.Add(value, Sample(tensor).DetachFromDisposeScope());
            });
            architecture.Graph.Run(images, other.Apply, (value, tensor) =>
            {
                if (!seen.Remove(value, out var anchored)) return;
                using var samples = NewDisposeScope();
                using (anchored)
                {
                    var sampled = Sample(tensor);
                    foreach (var (places, sums) in shownAt[value]) sums.Add(Choose(anchored, places), Choose(sampled, places));
                }
            });
        }
        return new ChannelOrder(groups, [.. groups.Groups.Zip(moments, (group, values) => Match(group, values, cancellation))]);
    }

    /// <summary>All of <paramref name="count"/>, or as many as are taken, with equal distances.</summary>
    private static IEnumerable<int> ChooseImages(int count)
    {
        var chosen = Math.Min(count, MaxImages);
        return Enumerable.Range(0, chosen).Select(i => (int)((long)i * count / chosen));
    }

    private static int[] Match(ChannelGroup group, CrossMoments[] values, CancellationToken cancellation)
    {
        DeviceThread.Yield(cancellation);
        var sum = new double[group.Size * group.Size];
        foreach (var value in values) value.AddCorrelations(sum);
        if (!Array.TrueForAll(sum, double.IsFinite))
            throw new ComputationException($"The sources can't be aligned: what they give at '{group.Name}' is not finite.");
        return LinearAssignment.Improve(sum, group.Size);
    }

    /// <summary>Some pixels of each image, [samples, channels] in float64.</summary>
    /// <param name="value">[batch, channels, height, width].</param>
    private static Tensor Sample(Tensor value)
    {
        var pixels = value[TensorIndex.Colon, TensorIndex.Colon, Every(value.shape[2]), Every(value.shape[3])];
        return pixels.permute(0, 2, 3, 1).reshape(-1, value.shape[1]).to(ScalarType.Float64, copy: true);

        static TensorIndex Every(long side)
        {
            var step = (side + MaxSide - 1) / MaxSide;
            return TensorIndex.Slice(start: step / 2, step: step);
        }
    }

    private static Tensor Choose(Tensor samples, int[] places) =>
        samples.index_select(1, tensor(Array.ConvertAll(places, place => (long)place), device: samples.device));
}
