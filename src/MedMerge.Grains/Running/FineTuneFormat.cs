using MedMerge.Training;

namespace MedMerge.Grains.Running;

/// <summary>Fine-tuning sends a whole model's numbers as they are.</summary>
internal sealed class FineTuneFormat : IShardFormat<FineTuneStep, FineTuneGradient, float>
{
    /// <summary>The one instance.</summary>
    public static FineTuneFormat Instance { get; } = new();

    /// <inheritdoc />
    public float[] Write(FineTuneStep step) => step.Values;

    /// <inheritdoc />
    public FineTuneStep ReadStep(int epoch, int step, float[] values) => new(epoch, step, values);

    /// <inheritdoc />
    public float[] Write(FineTuneGradient gradient) => gradient.Values;

    /// <inheritdoc />
    public FineTuneGradient ReadGradient(GradientPart answer, float[] values) =>
        new(answer.Epoch, answer.Step, answer.Shard, answer.Images, answer.Loss, values);
}
