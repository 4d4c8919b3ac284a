using System.Text.Json;
using System.Text.Json.Serialization;
using MedMerge.Experiments.Specifications;

namespace MedMerge.Experiments.Stages;

/// <summary>The source that α starts from, by its position among the merged models: given, or chosen by a stage.</summary>
[JsonConverter(typeof(KeyConverter))]
internal sealed record Anchor
{
    private readonly int? _index;
    private readonly ChooseAnchorStage? _choice;

    private Anchor(int? index, ChooseAnchorStage? choice)
    {
        _index = index;
        _choice = choice;
    }

    /// <summary>What a stage that needs it adds to its inputs, at their end; nothing where it is given.</summary>
    public IReadOnlyList<Stage> Inputs => _choice is null ? [] : [_choice];

    /// <summary>The stage that chooses it; null where it is given.</summary>
    public ChooseAnchorStage? Choice => _choice;

    /// <summary>A given one.</summary>
    public static Anchor At(int index) => new(index, null);

    /// <summary>One that a stage chooses.</summary>
    public static Anchor ChosenBy(ChooseAnchorStage choice) => new(null, choice);

    /// <summary>Its position.</summary>
    /// <param name="inputs">The outputs of a stage's inputs, those of <see cref="Inputs"/> at the end.</param>
    public int Find(IReadOnlyList<StageOutput> inputs) => _index ?? ChooseAnchorStage.Read(inputs[^1]).Index;

    /// <summary>Writes stages' keys: a given one as its number, which stores have keys of; a chosen one is among the inputs.</summary>
    private sealed class KeyConverter : JsonConverter<Anchor>
    {
        public override Anchor Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("Keys are not read.");

        public override void Write(Utf8JsonWriter writer, Anchor value, JsonSerializerOptions options)
        {
            if (value._index is { } index) writer.WriteNumberValue(index);
            else writer.WriteStringValue(Specification.BestProbe);
        }
    }
}
