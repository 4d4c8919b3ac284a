using MedMerge.Data;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Training;

/// <summary>
/// The learned soup of Wortsman et al. 2022, section 2 and appendix I: one share a model, a softmax, trained on the validation images by
/// the cross-entropy of the averaged network. Without that paper's learned temperature, which no score here but the calibration error
/// would see. Device thread only.
/// </summary>
internal static class SoupLearning
{
    private const int Epochs = 10;
    private const double LearningRate = 0.1;

    /// <returns>The shares after the last epoch.</returns>
    public static double[] Learn(
        Architecture architecture,
        IReadOnlyList<StateDict> models,
        ImageDataset target,
        int batchSize,
        BatchLoader loader,
        Device device,
        CancellationToken cancellation)
    {
        using var network = new BatchNormNetwork(architecture, models[0], device);
        using var parameters = StackParameters(architecture, models, device);
        using var objective = new ClassificationLoss(default, target, device);
        var plan = new ShardPlan(target.Validation.Count, shards: 1, batchSize, StreamKeys.Derive(0, StreamKeys.Soup));
        var logits = new double[models.Count];
        var adam = Adam.For(logits.Length);
        for (var epoch = 0; epoch < Epochs; epoch++)
        {
            for (var step = 0; step < plan.StepsPerEpoch; step++)
            {
                DeviceThread.Yield(cancellation);
                var shares = KernelWeights.Softmax(logits, models.Count);
                var indices = plan.Batch(epoch, step, shard: 0);
                var gradient = ShareGradient(network, parameters, shares, target.Validation, indices, loader, objective);
                adam = adam.Step(logits, KernelWeights.ThroughSoftmax(shares, gradient, models.Count), LearningRate);
            }
        }
        return KernelWeights.Softmax(logits, models.Count);
    }

    /// <summary>[models, parameters].</summary>
    private static Tensor StackParameters(Architecture architecture, IReadOnlyList<StateDict> models, Device device)
    {
        using var scope = NewDisposeScope();
        var rows = models.Select(model =>
        {
            using var network = new BatchNormNetwork(architecture, model, device);
            return network.ParameterValues.clone();
        });
        return stack(rows).MoveToOuterDisposeScope();
    }

    /// <summary>∂L/∂shareᵢ = ⟨∂L/∂w, wᵢ⟩ of the averaged network, which normalises by the batch.</summary>
    private static double[] ShareGradient(
        BatchNormNetwork network,
        Tensor parameters,
        double[] shares,
        ImageSplit split,
        int[] indices,
        BatchLoader loader,
        ClassificationLoss objective)
    {
        using var scope = NewDisposeScope();
        using (no_grad())
        {
            var average = tensor(shares, device: parameters.device).to(parameters.dtype).unsqueeze(0).matmul(parameters);
            network.ParameterValues.copy_(average.squeeze(0));
        }
        foreach (var parameter in network.Parameters) parameter.requires_grad_();
        var answers = network.Forward(loader.Load(split, indices), training: true);
        var loss = objective.Mean(answers, loader.Labels(split, indices));
        var gradients = autograd.grad([loss], network.Parameters).Select(part => part.reshape(-1)).ToArray();
        foreach (var parameter in network.Parameters) parameter.requires_grad_(false);
        var products = parameters.matmul(cat(gradients, 0).unsqueeze(1)).to(ScalarType.Float64);
        return products.cpu().contiguous().data<double>().ToArray();
    }
}
