namespace MedMerge.Training;

/// <summary>What a shard needs to compute one step's gradient of a whole model.</summary>
/// <param name="Values">Parameters, then batch norm's running statistics, as <see cref="ParameterLayout"/> orders them.</param>
internal sealed record FineTuneStep(int Epoch, int Step, float[] Values) : IShardStep;

/// <summary>One shard's part of such a step.</summary>
/// <param name="Values">The parameters' gradients, then the running statistics after the shard's images.</param>
internal sealed record FineTuneGradient(int Epoch, int Step, int Shard, int Images, double Loss, float[] Values) : IShardGradient;
