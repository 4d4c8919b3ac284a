using System.Text.Json;
using System.Text.Json.Serialization;
using MedMerge.Tensors;

namespace MedMerge.Experiments.Stages;

/// <summary>Names and formats of the files that stages write.</summary>
internal static class StageFiles
{
    /// <summary>A model with its architecture's tensor names.</summary>
    public const string Model = "model.safetensors";

    /// <summary>A prepared source's kernels and biases.</summary>
    public const string Prepared = "prepared.safetensors";

    /// <summary>A source's backbone hash and the decisions that its reader made.</summary>
    public const string Source = "source.json";

    /// <summary>The order that a prepared source's channels were brought into, by group; there only where that changed something.</summary>
    public const string ChannelOrder = "channel-order.json";

    /// <summary>A classifier head.</summary>
    public const string Head = "head.json";

    /// <summary>α and head after learning the kernel weights.</summary>
    public const string LearnedAlpha = "weights.json";

    /// <summary>The mean of α by layer and source after each epoch; not there in outputs of earlier versions.</summary>
    public const string LayerMeans = "layer-means.json";

    /// <summary>Learned kernel weights with the target's batch norm statistics and head.</summary>
    public const string KernelWeights = "kernel-weights.safetensors";

    /// <summary>The certificate of a merge.</summary>
    public const string Certificate = "certificate.json";

    /// <summary>A learning curve.</summary>
    public const string History = "history.json";

    /// <summary>The state of a fine-tuning that stopped at a rung, from which it goes on.</summary>
    public const string TrainingState = "state.bin";

    /// <summary>A candidate's score at a rung, or a linear probe's.</summary>
    public const string Score = "score.json";

    /// <summary>The source that was chosen as the anchor, and what each scored.</summary>
    public const string ChosenAnchor = "anchor.json";

    /// <summary>The learning rate of a fine-tuning, and what others scored.</summary>
    public const string LearningRate = "learning-rate.json";

    /// <summary>The share of each model in a combined one, and its score.</summary>
    public const string Coefficients = "coefficients.json";

    /// <summary>Which of several models was kept, and what each scored.</summary>
    public const string Selection = "selection.json";

    /// <summary>Predictions on the test and the validation split.</summary>
    public const string Predictions = "predictions.json";

    /// <summary>Round-trips every double, including NaN.</summary>
    private static readonly JsonSerializerOptions Json = new()
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>Writes a value as JSON.</summary>
    public static byte[] Write<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, Json);

    /// <summary>Reads a value from JSON.</summary>
    /// <exception cref="UnreadableArtefactException">It is not the JSON of such a value.</exception>
    public static T Read<T>(StageOutput output, string name) => Read<T>(output[name], name);

    /// <inheritdoc cref="Read{T}(StageOutput, string)" />
    /// <param name="name">The file's, for messages.</param>
    public static T Read<T>(byte[] file, string name)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(file, Json) ?? throw new JsonException("its JSON is null");
        }
        catch (JsonException error)
        {
            throw new UnreadableArtefactException(name, error);
        }
    }

    /// <summary>Reads tensors.</summary>
    /// <exception cref="UnreadableArtefactException">The file is not a whole safetensors file.</exception>
    public static StateDict ReadTensors(StageOutput output, string name) => ArtefactTensors.Read(output[name], name).Tensors;
}
