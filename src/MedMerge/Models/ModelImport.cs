using MedMerge.Models.Onnx;
using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Models;

/// <summary>Brings a weight file's tensors under an architecture's own names, checked layer by layer.</summary>
internal static class ModelImport
{
    private const int MaxShown = 8;

    /// <summary>
    /// The file's weights as float32 under <paramref name="architecture"/>'s names, in its order. They are found under whatever prefix they
    /// have. A classifier is included where the file has one, whatever its classes.
    /// </summary>
    /// <param name="chosen">
    /// Which of several models in the file is meant, by the prefix of its names or the start of it, without the '.' at its end; null where
    /// there is one.
    /// </param>
    /// <param name="origin">What messages call the file.</param>
    /// <param name="notes">Receives what was detected, one sentence each.</param>
    /// <exception cref="InputException">
    /// Another architecture: names the first layer that differs, with both shapes. Several models that fit: names them. Or a NaN.
    /// </exception>
    public static StateDict Import(
        Architecture architecture,
        ModelFile file,
        string? chosen,
        string origin,
        ICollection<string> notes)
    {
        var found = Find(architecture, file, chosen, origin, notes);
        var weights = new StateDict();
        try
        {
            foreach (var layer in architecture.Layers)
            {
                foreach (var (name, _) in layer.Tensors) Add(weights, name, found[name]);
                if (layer.Norm is not { } norm) continue;
                using var counter = zeros([], ScalarType.Int64);
                weights.Add(norm.BatchesTracked, counter);
            }
            foreach (var (name, tensor) in found.Where(pair => !weights.Contains(pair.Key))) Add(weights, name, tensor);
            if (weights.FirstNonFinite() is { } bad) throw NotFinite(origin, bad);
            if (weights.FirstNegativeVariance() is { } negative) throw NegativeVariances(origin, negative);
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The tensors of <see cref="Import"/> as the file has them, without batch norms' counters: only names, types and shapes are checked.
    /// </summary>
    /// <inheritdoc cref="Import" />
    public static OrderedDictionary<string, StoredTensor> Find(
        Architecture architecture,
        ModelFile file,
        string? chosen,
        string origin,
        ICollection<string> notes)
    {
        if (IsUnnamed(architecture, file))
        {
            file = OnnxLayers.Rename(architecture, file, origin);
            notes.Add("found the layers by their place in the ONNX graph");
        }
        var candidate = Choose(architecture, file, chosen, origin);
        if (candidate.Prefix.Length > 0) notes.Add($"took the tensors under '{candidate.Prefix}'");
        if (file.Unread.Count > 0)
        {
            var types = file.Unread.Values.Distinct().Take(MaxShown);
            notes.Add($"left out what is not read ({string.Join(", ", types)})");
        }

        var found = new OrderedDictionary<string, StoredTensor>(StringComparer.Ordinal);
        foreach (var (name, _) in architecture.Layers.SelectMany(layer => layer.Tensors)) Add(found, name, candidate.Find(name)!, origin);
        AddClassifier(found, architecture, candidate, origin, notes);
        return found;
    }

    /// <summary>
    /// The prefixes, as <see cref="Import"/> takes them, of all models in a file that fit; a null where none does, so that the import
    /// says why.
    /// </summary>
    public static IReadOnlyList<string?> FindPrefixes(Architecture architecture, ModelFile file)
    {
        var fitting = ModelCandidate.All(architecture, file)
            .Where(candidate => candidate.Mismatch is null)
            .Take(MaxShown)
            .Select(string? (candidate) => candidate.Prefix.TrimEnd('.'))
            .ToList();
        if (fitting.Count == 0) fitting.Add(null);
        return fitting;
    }

    /// <summary>The models in a file: architectures, at the width that fits, with the prefix of the names.</summary>
    public static IEnumerable<(Architecture Architecture, string Prefix)> Recognise(ModelFile file)
    {
        foreach (var basic in Architectures.Names.Select(name => Architectures.Create(name)))
        {
            if (IsUnnamed(basic, file))
            {
                if (TryRename(basic, file) is { } found) yield return (found, "");
                continue;
            }
            var stem = basic.Layers[0];
            foreach (var prefix in ModelCandidate.All(basic, file).Select(candidate => candidate.Prefix))
            {
                var shape = file.Find(prefix + stem.Tensors[0].Name)!.Shape;
                if (shape.Count == 0 || TryCreate(basic.Name, shape[0] / (double)stem.Out) is not { } architecture) continue;
                if (new ModelCandidate(architecture, file, prefix).Mismatch is null) yield return (architecture, prefix);
            }
        }
    }

    /// <summary>Whether an ONNX model's names don't give the architecture, or its tensors are not all that it computes with.</summary>
    private static bool IsUnnamed(Architecture architecture, ModelFile file)
    {
        if (file.Nodes.Count == 0) return false;
        var fitsByName = ModelCandidate.All(architecture, file).Any(candidate => candidate.Mismatch is null);
        return !fitsByName || !OnnxLayers.HaveUsualEpsilon(file);
    }

    /// <summary>The architecture at the width that an ONNX graph's layers fit; null if they don't.</summary>
    private static Architecture? TryRename(Architecture basic, ModelFile file)
    {
        if (OnnxLayers.FindStem(file) is not { Shape: [var channels, ..] }) return null;
        if (TryCreate(basic.Name, channels / (double)basic.Layers[0].Out) is not { } architecture) return null;
        try
        {
            using var renamed = OnnxLayers.Rename(architecture, file, "");
            return new ModelCandidate(architecture, renamed, "").Mismatch is null ? architecture : null;
        }
        catch (InputException)
        {
            return null;
        }
    }

    private static ModelCandidate Choose(Architecture architecture, ModelFile file, string? chosen, string origin)
    {
        var all = ModelCandidate.All(architecture, file);
        var possible = chosen is null ? all : Restrict(all, chosen, origin);
        var fitting = possible.Where(candidate => candidate.Mismatch is null).Take(MaxShown).ToList();
        if (fitting.Count == 1) return fitting[0];
        if (fitting.Count > 1)
        {
            throw new InputException(
                $"{origin} holds several models that fit a {architecture.Title}, under {Show(fitting)}; " +
                "choose one with the source's 'prefix'.");
        }
        var nearest = possible.Count > 0 ? possible[0] : new ModelCandidate(architecture, file, "");
        throw new InputException($"{origin} is not a {architecture.Title}: {nearest.Mismatch}.");
    }

    /// <summary>Keeps the candidate with that prefix, or else those whose prefixes start with it.</summary>
    private static List<ModelCandidate> Restrict(IReadOnlyList<ModelCandidate> all, string chosen, string origin)
    {
        var prefix = chosen.Length == 0 ? "" : chosen + ".";
        if (all.FirstOrDefault(candidate => candidate.Prefix == prefix) is { } exact) return [exact];
        var within = all.Where(candidate => candidate.Prefix.StartsWith(prefix, StringComparison.Ordinal)).ToList();
        if (within.Count > 0) return within;
        var known = all.Count == 0 ? "" : $"; there is one under {Show(all.Take(MaxShown))}";
        throw new InputException($"{origin} holds no model under the prefix '{chosen}'{known}.");
    }

    private static string Show(IEnumerable<ModelCandidate> candidates) =>
        string.Join(", ", candidates.Select(candidate => $"'{(candidate.Prefix.Length == 0 ? "." : candidate.Prefix)}'"));

    /// <summary>The error of a model with NaN or infinite values.</summary>
    public static InputException NotFinite(string origin, string name) => new(
        $"{origin} holds NaN or infinite values in '{name}': the model was not trained to an end, or the file is damaged.");

    /// <summary>The error of a model with negative variances.</summary>
    public static InputException NegativeVariances(string origin, string name) => new(
        $"{origin} holds negative variances in '{name}': no batch norm has them, the file is damaged.");

    private static void AddClassifier(
        OrderedDictionary<string, StoredTensor> found,
        Architecture architecture,
        ModelCandidate candidate,
        string origin,
        ICollection<string> notes)
    {
        var (weightName, biasName) = (architecture.Classifier + ".weight", architecture.Classifier + ".bias");
        if (candidate.Find(weightName) is not { Shape: [var classes, var features] } weight || features != architecture.Features) return;
        var bias = candidate.Find(biasName);
        var biasFits = bias is null || (bias.IsFloat && bias.Shape.SequenceEqual([classes]));
        if (!weight.IsFloat || !biasFits)
        {
            notes.Add($"left out its classifier '{architecture.Classifier}', which has another form");
            return;
        }
        Add(found, weightName, weight, origin);
        if (bias is null) notes.Add($"took zeros for '{biasName}', which it does not have");
        Add(found, biasName, bias ?? StoredTensor.Zeros(biasName, classes), origin);
    }

    private static void Add(OrderedDictionary<string, StoredTensor> tensors, string name, StoredTensor found, string origin)
    {
        if (!found.IsFloat)
        {
            throw new InputException(
                $"{origin} can't be used: '{name}' has the type {found.Type}; parameters are read from F64, F32, F16 or BF16. " +
                "Convert it, with its scale if it is quantised.");
        }
        tensors.Add(name, found);
    }

    private static void Add(StateDict weights, string name, StoredTensor found)
    {
        using var values = found.Read();
        using var converted = values.to(ScalarType.Float32);
        weights.Add(name, converted);
    }

    private static Architecture? TryCreate(string name, double width)
    {
        try
        {
            return Architectures.Create(name, width);
        }
        catch (InputException)
        {
            return null;
        }
    }
}
