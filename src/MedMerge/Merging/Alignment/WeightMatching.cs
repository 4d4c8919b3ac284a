using MedMerge.Models.Layers;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Merging.Alignment;

/// <summary>
/// Orders a source's channels so that its kernels and biases are as near the anchor's as they come: the sum of their inner products is
/// raised group by group, each with the others as they are, until no group can raise it (Ainsworth et al. 2023, algorithm 1). There groups
/// come in random order; here in the network's, and in a first pass each is matched only by layers whose other side is matched already,
/// the images' being so from the start. A source that is the anchor in another order is found that way, and no seed is needed.
/// </summary>
internal sealed class WeightMatching
{
    /// <summary>A limit for networks in which a layer gives and takes one group, where the sum need not rise with each step.</summary>
    private const int MaxSweeps = 100;

    private const int MaxColumns = 4096;

    private readonly ChannelGroups _groups;
    private readonly Tensor[] _anchorKernels;
    private readonly Tensor[] _anchorBiases;
    private readonly Tensor[] _kernels; // the source's, in the order so far
    private readonly Tensor[] _biases;
    private readonly int[][] _orders;
    private readonly ILookup<(int Layer, bool IsInput), int> _groupsAt;

    private WeightMatching(ChannelGroups groups, PreparedSource anchor, PreparedSource source, Device device)
    {
        _groups = groups;
        _anchorKernels = Load(anchor.Kernel);
        _anchorBiases = Load(anchor.Bias);
        _kernels = Load(source.Kernel);
        _biases = Load(source.Bias);
        _orders = [.. ChannelOrder.Identity(groups).Orders];
        _groupsAt = groups.Groups.Index()
            .SelectMany(group => group.Item.Uses, (group, use) => (group.Index, use))
            .ToLookup(pair => (pair.use.Layer, pair.use.IsInput), pair => pair.Index);

        Tensor[] Load(Func<Layer, Tensor> part) => [.. groups.Architecture.Layers.Select(layer => part(layer).to(device).alias())];
    }

    /// <summary>Finds the order; that in which the source is, if no better one is found. Device thread only.</summary>
    public static ChannelOrder Match(
        ChannelGroups groups,
        PreparedSource anchor,
        PreparedSource source,
        Device device,
        CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        var matching = new WeightMatching(groups, anchor, source, device);
        var before = matching.MeasureAgreement();
        matching.MatchForward(cancellation);
        matching.MatchUntilNothingChanges(cancellation);
        return matching.MeasureAgreement() > before ? new ChannelOrder(groups, matching._orders) : ChannelOrder.Identity(groups);
    }

    private void MatchForward(CancellationToken cancellation)
    {
        var isMatched = new bool[_orders.Length];
        for (var g = 0; g < _orders.Length; g++)
        {
            Match(g, use => GetOthers(use).All(other => isMatched[other]), cancellation);
            isMatched[g] = true;
        }
    }

    private void MatchUntilNothingChanges(CancellationToken cancellation)
    {
        var isStale = new bool[_orders.Length];
        Array.Fill(isStale, true);
        for (var sweep = 0; sweep < MaxSweeps && isStale.Contains(true); sweep++)
        {
            for (var g = 0; g < _orders.Length; g++)
            {
                if (!isStale[g]) continue;
                isStale[g] = false;
                if (!Match(g, _ => true, cancellation)) continue;
                foreach (var other in _groups.Groups[g].Uses.SelectMany(GetOthers)) isStale[other] = true;
            }
        }
    }

    /// <summary>The groups on the other side of a layer.</summary>
    private IEnumerable<int> GetOthers(ChannelUse use) => _groupsAt[(use.Layer, !use.IsInput)];

    /// <summary>Orders a group by those of its layers that count.</summary>
    /// <returns>Whether that changed something.</returns>
    private bool Match(int index, Func<ChannelUse, bool> counts, CancellationToken cancellation)
    {
        DeviceThread.Yield(cancellation);
        using var scope = NewDisposeScope();
        var group = _groups.Groups[index];
        var order = LinearAssignment.Improve(ComputeProducts(group, counts), group.Size);
        if (!order.Where((channel, place) => channel != place).Any()) return false;
        _orders[index] = Array.ConvertAll(order, channel => _orders[index][channel]);
        foreach (var use in group.Uses)
        {
            Replace(ref _kernels[use.Layer], use.Reorder(_kernels[use.Layer], order));
            if (!use.IsInput) Replace(ref _biases[use.Layer], use.Reorder(_biases[use.Layer], order));
        }
        return true;
    }

    /// <summary>The inner product of each of the anchor's channels with each of the source's, [size × size].</summary>
    private double[] ComputeProducts(ChannelGroup group, Func<ChannelUse, bool> counts)
    {
        var products = zeros(group.Size, group.Size, ScalarType.Float64, _kernels[0].device);
        foreach (var use in group.Uses.Where(counts))
        {
            Add(use.Rows(_anchorKernels[use.Layer]), use.Rows(_kernels[use.Layer]));
            if (!use.IsInput) Add(use.Rows(_anchorBiases[use.Layer]), use.Rows(_biases[use.Layer]));
        }
        return [.. products.cpu().data<double>()];

        void Add(Tensor anchor, Tensor source)
        {
            for (var start = 0L; start < anchor.shape[1]; start += MaxColumns)
            {
                using var scope = NewDisposeScope();
                var count = Math.Min(MaxColumns, anchor.shape[1] - start);
                Tensor Part(Tensor rows) => rows.narrow(1, start, count).to(ScalarType.Float64);
                products.Add(Part(anchor).mm(Part(source).t()));
            }
        }
    }

    /// <summary>The sum of the inner products of all kernels and biases.</summary>
    private double MeasureAgreement()
    {
        using var scope = NewDisposeScope();
        return _anchorKernels.Zip(_kernels).Concat(_anchorBiases.Zip(_biases))
            .Sum(pair => (pair.First * pair.Second).sum(ScalarType.Float64).item<double>());
    }

    private static void Replace(ref Tensor tensor, Tensor by)
    {
        tensor.Dispose();
        tensor = by.MoveToOuterDisposeScope();
    }
}
