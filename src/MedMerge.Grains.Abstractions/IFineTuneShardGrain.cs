namespace MedMerge.Grains;

/// <summary>
/// A shard of data-parallel fine-tuning: the gradient of a whole model. That is too much for one message, so weights come and gradients go in
/// <see cref="FineTunePart"/>s.
/// </summary>
public interface IFineTuneShardGrain : IShardGrain
{
    /// <summary>Takes a part of a step's weights.</summary>
    Task PutAsync(ShardRequest request, FineTunePart part);

    /// <summary>Computes one step's gradient, once all its weights are there, and keeps it to be fetched.</summary>
    [ResponseTimeout(ResponseTimeout)]
    Task<FineTuneAnswer> GradientAsync(ShardRequest request, int epoch, int step);

    /// <summary>A part of the gradient that was computed last.</summary>
    /// <param name="offset">Of its first number.</param>
    Task<FineTunePart> GetAsync(ShardRequest request, int epoch, int step, int offset);

    /// <summary>Macro F1 and loss on the validation split, with the weights that were put last.</summary>
    [ResponseTimeout(ResponseTimeout)]
    Task<ValidationMessage> ValidateAsync(ShardRequest request, int epoch, int step);
}

/// <summary>A part of a model's weights, or of what a shard answers: float32 numbers from <paramref name="Offset"/> on.</summary>
/// <param name="Total">Of all parts together.</param>
[GenerateSerializer, Immutable]
public sealed record FineTunePart([property: Id(0)] int Epoch, [property: Id(1)] int Step, [property: Id(2)] int Offset, [property: Id(3)] int Total, [property: Id(4)] PackedNumbers Values)
{
    /// <summary>The most numbers in a part: 1 MiB, far from the 100 MB at which a connection is closed, and short enough for other messages to pass between.</summary>
    public const int MaxLength = 1 << 18;

    /// <summary>Where the parts of so many numbers begin.</summary>
    public static IEnumerable<int> Offsets(int total) => Enumerable.Range(0, (total + MaxLength - 1) / MaxLength).Select(i => i * MaxLength);

    /// <summary>The part that begins at <paramref name="offset"/>.</summary>
    public static FineTunePart Of(int epoch, int step, float[] all, int offset) =>
        new(epoch, step, offset, all.Length, PackedNumbers.Of(all.AsSpan(offset, Math.Min(MaxLength, all.Length - offset))));
}

/// <summary>A shard has computed a step.</summary>
/// <param name="Loss">Sum of cross-entropies over its images.</param>
/// <param name="Total">PackedNumbers to be fetched: gradients, then running statistics.</param>
[GenerateSerializer, Immutable]
public sealed record FineTuneAnswer(
    [property: Id(0)] int Epoch, [property: Id(1)] int Step, [property: Id(2)] int Shard, [property: Id(3)] int Images, [property: Id(4)] double Loss, [property: Id(5)] int Total);
