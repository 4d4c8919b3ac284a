using static TorchSharp.torch;

namespace MedMerge.Data;

/// <summary>What a training step computes with, on its device.</summary>
/// <param name="Images">[count, 3, height, width], normalised.</param>
/// <param name="Labels">[count], int64.</param>
/// <param name="Weights">[count], of the images' type: what each counts; null where all count alike.</param>
internal readonly record struct TrainingBatch(Tensor Images, Tensor Labels, Tensor? Weights = null);
