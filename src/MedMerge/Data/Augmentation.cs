using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace MedMerge.Data;

/// <summary>
/// What happens to training images before a step, drawn anew for each image and epoch. As a text it is a list of operations with their
/// strengths: <c>shift, flip, rotate 15</c>. A strength of 0 is no operation.
/// </summary>
[JsonConverter(typeof(JsonText))]
public readonly partial record struct Augmentation
{
    /// <summary>The form of its text, for messages.</summary>
    internal const string Form =
        "'none', or with commas between several 'shift 0.1', 'flip', 'flip-vertical', 'rotate 15', 'crop 0.2', 'intensity 0.2', " +
        "'blur 1', 'noise 0.05', 'random 5'; a number may be left out, but for the last";

    /// <summary>The level of <see cref="Random"/> at which operations have their largest strength.</summary>
    internal const int MaxLevel = 10;

    private const string NoneText = "none";
    private const double UsualShift = 1 / 14.0;
    private const double MaxBlur = 5;

    /// <summary>How many operations are drawn for an image where they are drawn by level.</summary>
    private const int OperationsByLevel = 2;

    /// <summary>Nothing.</summary>
    public static Augmentation None => default;

    /// <summary>Shifted by up to a fourteenth of the side each way (2 of 28 pixels), edges filled with zeros.</summary>
    public static Augmentation Shifted { get; } = new() { Shift = UsualShift };

    /// <summary>The same, and mirrored left to right half of the time.</summary>
    public static Augmentation ShiftedAndFlipped { get; } = Shifted with { Flip = true };

    /// <summary>Moved each way by up to this share of the side, at least a pixel; black from beyond the edges.</summary>
    public double Shift { get; init; }

    /// <summary>Mirrored left to right half of the time.</summary>
    public bool Flip { get; init; }

    /// <summary>Turned upside down half of the time.</summary>
    public bool FlipVertical { get; init; }

    /// <summary>Rotated about the centre by up to so many degrees either way; black from beyond the edges.</summary>
    public double Rotation { get; init; }

    /// <summary>Cut to a window anywhere, whose sides are shorter by up to this share, and brought back to size.</summary>
    public double Crop { get; init; }

    /// <summary>
    /// Contrast about the image's mean by a factor between 1 − this and 1 + this, and brightness by up to half of this share of the range.
    /// </summary>
    public double Intensity { get; init; }

    /// <summary>Blurred by a Gaussian of a deviation of up to so many pixels.</summary>
    public double Blur { get; init; }

    /// <summary>Normal noise of a deviation of up to this share of the range.</summary>
    public double Noise { get; init; }

    /// <summary>
    /// Instead of fixed strengths: two operations drawn for each image (no flips), each as strong as this level says, from 1 to 10
    /// (in the manner of RandAugment, Cubuk et al. 2020).
    /// </summary>
    public int Random { get; init; }

    /// <summary>Whether an image may be shifted or mirrored.</summary>
    internal bool MayMove => Shift > 0 || Flip || FlipVertical || Random > 0;

    /// <summary>Whether pixels only change places.</summary>
    internal bool OnlyMoves => this == new Augmentation { Shift = Shift, Flip = Flip, FlipVertical = FlipVertical };

    private static IReadOnlyList<Operation> Operations { get; } =
    [
        new("shift", UsualShift, 0.5, a => a.Shift, (a, value) => a with { Shift = value }) { AtMaxLevel = 0.2 },
        new("flip", 1, 1, a => a.Flip ? 1 : 0, (a, _) => a with { Flip = true }) { HasStrength = false },
        new("flip-vertical", 1, 1, a => a.FlipVertical ? 1 : 0, (a, _) => a with { FlipVertical = true }) { HasStrength = false },
        new("rotate", 15, 180, a => a.Rotation, (a, value) => a with { Rotation = value }) { AtMaxLevel = 30 },
        new("crop", 0.2, 0.9, a => a.Crop, (a, value) => a with { Crop = value }) { AtMaxLevel = 0.4 },
        new("intensity", 0.2, 1, a => a.Intensity, (a, value) => a with { Intensity = value }) { AtMaxLevel = 0.5 },
        new("blur", 1, MaxBlur, a => a.Blur, (a, value) => a with { Blur = value }) { AtMaxLevel = 2 },
        new("noise", 0.05, 1, a => a.Noise, (a, value) => a with { Noise = value }) { AtMaxLevel = 0.1 },
        new("random", 0, MaxLevel, a => a.Random, (a, value) => a with { Random = (int)value }) { IsWhole = true },
    ];

    /// <summary>Reads a text.</summary>
    /// <exception cref="FormatException">It names an operation that there is not, one twice, or a strength out of its range.</exception>
    public static Augmentation Parse(string text) =>
        TryParse(text, out var augmentation) ? augmentation : throw new FormatException($"'{text}' is not {Form}.");

    /// <inheritdoc cref="Parse" />
    /// <returns>Whether the text has the form.</returns>
    public static bool TryParse(string text, out Augmentation augmentation)
    {
        ArgumentNullException.ThrowIfNull(text);
        augmentation = None;
        if (text == NoneText) return true;
        foreach (var part in text.Split(',').SelectMany(part => part.Trim() == "shift-flip" ? ["shift", "flip"] : (string[])[part]))
        {
            var match = OperationText().Match(part);
            var operation = Operations.FirstOrDefault(operation => operation.Name == match.Groups[1].Value);
            if (operation is null || operation.Get(augmentation) != 0) return false;
            if (operation.ReadStrength(match.Groups[2]) is not { } strength) return false;
            augmentation = operation.With(augmentation, strength);
        }
        return true;
    }

    /// <summary>Its text, the same for equal ones.</summary>
    public override string ToString()
    {
        var augmentation = this;
        var parts = Operations
            .Where(operation => operation.Get(augmentation) != 0)
            .Select(operation => operation.Describe(operation.Get(augmentation)));
        var text = string.Join(", ", parts);
        return text.Length == 0 ? NoneText : text;
    }

    /// <summary>What happens to one image: the operations as they are, with two more where those are drawn by level.</summary>
    internal Augmentation ChooseOperations(RandomStream random)
    {
        if (Random == 0) return this;
        var byLevel = Operations.Where(operation => operation.AtMaxLevel > 0).ToArray();
        var chosen = this with { Random = 0 };
        foreach (var place in random.Permutation(byLevel.Length).Take(OperationsByLevel))
        {
            var operation = byLevel[place];
            var strength = operation.AtMaxLevel * Random / MaxLevel;
            chosen = operation.With(chosen, Math.Max(strength, operation.Get(chosen)));
        }
        return chosen;
    }

    /// <summary>The largest deviation of a blur that an image may get, in pixels.</summary>
    internal double GetMaxBlur()
    {
        var byLevel = Random == 0 ? 0 : Operations.Single(operation => operation.Name == "blur").AtMaxLevel * Random / MaxLevel;
        return Math.Max(Blur, byLevel);
    }

    [GeneratedRegex(@"\A\s*([a-z-]+)(?:\s+([0-9]+(?:\.[0-9]+)?))?\s*\z")]
    private static partial Regex OperationText();

    /// <summary>One kind of change.</summary>
    /// <param name="Usual">Its strength where none is named; 0 where one must be.</param>
    private sealed record Operation(
        string Name,
        double Usual,
        double Max,
        Func<Augmentation, double> Get,
        Func<Augmentation, double, Augmentation> With)
    {
        /// <summary>Whether its strength is a whole number.</summary>
        public bool IsWhole { get; init; }

        /// <summary>Whether it can be stronger or weaker.</summary>
        public bool HasStrength { get; init; } = true;

        /// <summary>Its strength at <see cref="MaxLevel"/>; 0 where it is not drawn by level.</summary>
        public double AtMaxLevel { get; init; }

        /// <summary>The strength that a text names, the usual one where it names none; null where it is out of range.</summary>
        public double? ReadStrength(Group number)
        {
            if (number.Success && !HasStrength) return null;
            var strength = number.Success ? double.Parse(number.ValueSpan, CultureInfo.InvariantCulture) : Usual;
            var isWhole = !IsWhole || strength == Math.Floor(strength);
            return strength > 0 && strength <= Max && isWhole ? strength : null;
        }

        public string Describe(double strength) =>
            strength == Usual ? Name : string.Create(CultureInfo.InvariantCulture, $"{Name} {strength:0.################}");
    }

    /// <summary>As a text in JSON. Three have the names of an earlier version, by which stores know their stages.</summary>
    private sealed class JsonText : JsonConverter<Augmentation>
    {
        private static readonly Dictionary<Augmentation, string> OldNames = new()
        {
            [None] = "None",
            [Shifted] = "Shift",
            [ShiftedAndFlipped] = "ShiftFlip",
        };

        public override Augmentation Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            var text = reader.GetString() ?? "";
            foreach (var (old, name) in OldNames) if (text == name) return old;
            return TryParse(text, out var augmentation) ? augmentation : throw new JsonException($"'{text}' is not {Form}.");
        }

        public override void Write(Utf8JsonWriter writer, Augmentation value, JsonSerializerOptions options) =>
            writer.WriteStringValue(OldNames.GetValueOrDefault(value) ?? value.ToString());
    }
}
