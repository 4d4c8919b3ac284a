using MedMerge.Tensors;
using static TorchSharp.torch;

namespace MedMerge.Models;

/// <summary>Brings a weight file's tensors under an architecture's own names, checked layer by layer.</summary>
internal static class ModelImport
{
    /// <summary>
    /// The file's weights as float32 under <paramref name="architecture"/>'s names, in its order. A classifier is included where the file
    /// has one, whatever its classes; a prefix before every name is detected and removed.
    /// </summary>
    /// <param name="origin">What messages call the file.</param>
    /// <param name="notes">Receives what was detected, one sentence each.</param>
    /// <exception cref="InputException">Another architecture: names the first layer that differs, with both shapes. Or a NaN.</exception>
    public static StateDict Import(Architecture architecture, ModelFile file, string origin, ICollection<string> notes)
    {
        foreach (var note in file.Notes) notes.Add(note);
        var mismatch = $"{origin} is not a {architecture.Title}";
        var names = file.Names.ToHashSet(StringComparer.Ordinal);
        var prefix = FindPrefix(architecture, names);
        if (prefix.Length > 0) notes.Add($"removed the prefix '{prefix}'");

        var weights = new StateDict();
        var used = new HashSet<string>();
        try
        {
            using var scope = NewDisposeScope();
            foreach (var layer in architecture.Layers)
            {
                foreach (var (name, shape) in layer.Tensors) weights.Add(name, Take(name, shape));
                if (layer.Norm is not { } norm) continue;
                used.Add(Find(norm.BatchesTracked) ?? "");
                weights.Add(norm.BatchesTracked, zeros(1, ScalarType.Int64).squeeze());
            }
            if (Find(architecture.Classifier + ".weight") is { } classifier && file.Tensors.Contains(classifier)
                && file.Tensors[classifier].shape is [var classes, var features] && features == architecture.Features)
            {
                weights.Add(architecture.Classifier + ".weight", Take(architecture.Classifier + ".weight", [classes, features]));
                weights.Add(architecture.Classifier + ".bias", Take(architecture.Classifier + ".bias", [classes]));
            }
            if (file.Names.FirstOrDefault(IsUnknown) is { } unknown)
                throw new InputException($"{mismatch}: it also has '{unknown}' of shape {Show(ShapeOf(unknown))}.");
            if (weights.FirstNonFinite() is { } bad)
            {
                throw new InputException(
                    $"{origin} holds NaN or infinite values in '{bad}': the model was not trained to an end, or the file is damaged.");
            }
            if (weights.FirstNegativeVariance() is { } negative)
            {
                throw new InputException(
                    $"{origin} holds negative variances in '{negative}': no batch norm has them, the file is damaged.");
            }
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }

        string? Find(string name)
        {
            if (names.Contains(prefix + name)) return prefix + name;
            return architecture.KeyAliases
                .Select(alias => prefix + name.Replace(alias.Ours, alias.Theirs, StringComparison.Ordinal))
                .FirstOrDefault(names.Contains);
        }

        bool IsUnknown(string name) =>
            !used.Contains(name) && name.StartsWith(prefix, StringComparison.Ordinal) && architecture.IsBackbone(name[prefix.Length..]);

        UnreadTensor? Unread(string name) => file.Unread.FirstOrDefault(tensor => tensor.Name == name);

        IReadOnlyList<long> ShapeOf(string name) => Unread(name)?.Shape ?? file.Tensors[name].shape;

        Tensor Take(string name, long[] shape)
        {
            var found = Find(name) ?? throw new InputException($"{mismatch}: it has no '{name}' (wanted shape {Show(shape)}).");
            var foundShape = ShapeOf(found);
            if (!foundShape.SequenceEqual(shape))
                throw new InputException($"{mismatch}: '{name}' has shape {Show(foundShape)}, wanted {Show(shape)}.");
            if (Unread(found) is { } unread)
            {
                throw new InputException(
                    $"{origin} can't be used: '{name}' has the type {unread.Type}, which is not read; convert it to F32, F16 or BF16.");
            }
            used.Add(found);
            return file.Tensors[found].to(ScalarType.Float32);
        }
    }

    /// <summary>The architectures that the file's tensors fit: at width 1, or at the width in its metadata.</summary>
    public static IEnumerable<Architecture> Recognise(ModelFile file)
    {
        var candidates = Architectures.Names
            .Select(name => Architectures.Create(name))
            .Append(ModelMetadata.Read(file.Metadata))
            .OfType<Architecture>()
            .DistinctBy(architecture => architecture.Title);
        foreach (var architecture in candidates)
        {
            StateDict weights;
            try
            {
                weights = Import(architecture, file, "it", new List<string>());
            }
            catch (InputException)
            {
                continue;
            }
            weights.Dispose();
            yield return architecture;
        }
    }

    /// <summary>The prefix under which most of the architecture's names are found.</summary>
    private static string FindPrefix(Architecture architecture, HashSet<string> found)
    {
        var names = architecture.Layers.Select(layer => layer.Tensors[0].Name).ToHashSet();
        var stem = architecture.Layers[0].Tensors[0].Name;
        return found
            .Where(name => name == stem || name.EndsWith("." + stem, StringComparison.Ordinal))
            .Select(name => name[..^stem.Length])
            .Distinct()
            .OrderByDescending(prefix => names.Count(name => found.Contains(prefix + name)))
            .ThenBy(prefix => prefix.Length)
            .FirstOrDefault("");
    }

    private static string Show(IReadOnlyList<long> shape) => $"[{string.Join(", ", shape)}]";
}
