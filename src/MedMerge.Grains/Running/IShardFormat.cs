using MedMerge.Training;

namespace MedMerge.Grains.Running;

/// <summary>A training's steps and gradients as arrays of numbers, to be sent between nodes.</summary>
/// <typeparam name="TNumber">float or double.</typeparam>
internal interface IShardFormat<TStep, TGradient, TNumber>
    where TStep : IShardStep
    where TGradient : IShardGradient
    where TNumber : unmanaged
{
    /// <summary>What a step is computed with.</summary>
    TNumber[] Write(TStep step);

    /// <summary>Back from <see cref="Write(TStep)"/>'s numbers.</summary>
    /// <exception cref="InvalidDataException">There are too many or too few.</exception>
    TStep ReadStep(int epoch, int step, TNumber[] values);

    /// <summary>A gradient's numbers.</summary>
    TNumber[] Write(TGradient gradient);

    /// <summary>Back from <see cref="Write(TGradient)"/>'s numbers.</summary>
    /// <exception cref="InvalidDataException">There are too many or too few.</exception>
    TGradient ReadGradient(GradientPart answer, TNumber[] values);
}
