using MedMerge.Data;
using MedMerge.Models;
using MedMerge.Models.Layers;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Merging;

/// <summary>
/// REPAIR (Jordan et al. 2023): what a layer of a merged model gives varies less than what its sources give, the more so the deeper it is.
/// Each channel in front of a batch norm is rescaled to the mean and the deviation that its sources have on the target, weighted by α.
/// </summary>
internal static class ActivationRescaling
{
    private const string Prefix = "rescaled.";

    /// <summary>The names that a batch norm's four tensors have among those of a merge.</summary>
    public static IEnumerable<(string Name, string InModel)> NamesOf(BatchNorm norm) =>
        new[] { norm.Scale, norm.Shift, norm.Mean, norm.Variance }.Select(name => (Prefix + name, name));

    /// <summary>The merged model with rescaled channels. Its statistics are estimated again, each layer's behind rescaled ones.</summary>
    /// <param name="merged">With batch norm restored, and a classifier.</param>
    /// <param name="batchSize">Images of a batch that the statistics are estimated on.</param>
    public static StateDict Rescale(
        IReadOnlyList<PreparedSource> sources,
        KernelWeightMatrix alpha,
        StateDict merged,
        ImageDataset target,
        int batchSize,
        BatchLoader loader,
        Device device,
        CancellationToken cancellation)
    {
        var architecture = alpha.Architecture;
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        using var rescaled = merged.Clone();
        var moments = sources
            .Select(source => Measure(FoldedNetwork.Of(architecture, source).To(device), target, loader, cancellation))
            .ToList();
        for (var l = 0; l < architecture.Layers.Count; l++)
        {
            if (architecture.Layers[l].Norm is not { } norm) continue;
            var (mean, deviation) = (zeros(norm.Channels, ScalarType.Float64), zeros(norm.Channels, ScalarType.Float64));
            for (var i = 0; i < sources.Count; i++)
            {
                var weights = tensor(alpha.FilterRow(i, l));
                mean.Add(weights * moments[i][l]!.Mean.cpu());
                deviation.Add(weights * moments[i][l]!.Variance.cpu().sqrt());
            }
            rescaled[norm.Scale].copy_(deviation.abs() * rescaled[norm.Scale].sign());
            rescaled[norm.Shift].copy_(mean);
        }
        return BatchNormStatistics.Estimate(architecture, rescaled, target, batchSize, loader, device, cancellation);
    }

    /// <summary>Adds a rescaled model's batch norms to what a merge keeps, for <see cref="CopyTo"/>.</summary>
    public static void AddTo(Architecture architecture, StateDict model, StateDict tensors)
    {
        foreach (var norm in architecture.Norms)
            foreach (var (name, inModel) in NamesOf(norm)) tensors.Add(name, model[inModel].clone());
    }

    /// <summary>Gives a model the batch norms of a rescaled one, where there are such.</summary>
    public static void CopyTo(Architecture architecture, StateDict model, StateDict tensors)
    {
        foreach (var (name, inModel) in architecture.Norms.SelectMany(NamesOf).Where(names => tensors.Contains(names.Name)))
            model[inModel].copy_(tensors[name]);
    }

    /// <summary>The moments of each layer's output; null for a layer without a batch norm.</summary>
    private static ChannelMoments?[] Measure(
        FoldedNetwork network,
        ImageDataset target,
        BatchLoader loader,
        CancellationToken cancellation)
    {
        var moments = ChannelMoments.ForNorms(network);
        foreach (var indices in loader.Batches(target.Train))
        {
            DeviceThread.Yield(cancellation);
            using var batch = NewDisposeScope();
            network.Architecture.Forward(loader.Load(target.Train, indices), (l, input) =>
            {
                var output = network.Apply(l, input);
                moments[l]?.Add(output);
                return output;
            });
        }
        return moments;
    }
}
