using MedMerge.Data;
using MedMerge.Models.Layers;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Merging;

/// <summary>
/// Gives a folded model its batch norm back without changing what it computes. With mean μ and variance σ² on the target of what a batch
/// norm normalises, γ = s·√(σ²+ε) and β = t + sμ make (z − μ)·γ/√(σ²+ε) + β = sz + t. Behind a convolution z is its output without bias,
/// s is 1 and t the folded bias; a lone normalisation has z as its input, and s and t as its folded kernel and bias. A model whose batch
/// norms are mixed has γ and β already, and needs the statistics alone.
/// </summary>
internal static class BatchNormRestoration
{
    /// <summary>Mean and variance of what each batch norm normalises, over the training images.</summary>
    /// <returns><c>NAME.running_mean</c> and <c>NAME.running_var</c>, [channels] each, float32.</returns>
    public static StateDict Measure(WeighedNetwork network, ImageDataset target, BatchLoader loader, CancellationToken cancellation)
    {
        if (network is MixedNetwork mixed) return mixed.Estimate(target, loader, cancellation);
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        var layers = network.Architecture.Layers;
        var moments = ChannelMoments.ForNorms(network);
        foreach (var indices in loader.Batches(target.Train))
        {
            DeviceThread.Yield(cancellation);
            using var batch = NewDisposeScope();
            network.Architecture.Forward(loader.Load(target.Train, indices), (l, input) =>
            {
                var output = layers[l].Apply(input, network.Kernels[l], bias: null);
                moments[l]?.Add(layers[l].Normalised(input, output));
                return output.Add(network.Biases[l].view(1, -1, 1, 1));
            });
        }
        var statistics = new StateDict();
        foreach (var (layer, channels) in layers.Zip(moments))
        {
            if (channels is null) continue;
            statistics.Add(layer.Norm!.Mean, channels.Mean.to(ScalarType.Float32));
            statistics.Add(layer.Norm.Variance, channels.Variance.to(ScalarType.Float32));
        }
        return statistics;
    }

    /// <summary>
    /// The ordinary state dictionary of a merged model, from <see cref="Measure"/>'s statistics and a classifier. Where it was rescaled,
    /// its batch norms are those that came of that.
    /// </summary>
    public static StateDict Restore(WeighedNetwork network, StateDict statisticsAndClassifier)
    {
        var architecture = network.Architecture;
        var model = network is MixedNetwork mixed ? mixed.Join(statisticsAndClassifier) : RestoreLayers(network, statisticsAndClassifier);
        using var scope = NewDisposeScope();
        foreach (var part in new[] { ".weight", ".bias" })
            model.Add(architecture.Classifier + part, statisticsAndClassifier[architecture.Classifier + part].clone());
        ActivationRescaling.CopyTo(architecture, model, statisticsAndClassifier);
        return model;
    }

    private static StateDict RestoreLayers(WeighedNetwork network, StateDict statistics)
    {
        var model = new StateDict();
        for (var l = 0; l < network.Architecture.Layers.Count; l++)
        {
            using var scope = NewDisposeScope();
            LayerForms.Restore(network.Architecture.Layers[l], model, network.Kernels[l], network.Biases[l], statistics);
        }
        return model;
    }
}
