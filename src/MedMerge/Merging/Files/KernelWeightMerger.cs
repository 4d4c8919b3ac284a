using System.Runtime.InteropServices;
using MedMerge.Models;
using MedMerge.Tensors;

namespace MedMerge.Merging.Files;

/// <summary>
/// Applies learned kernel weights to the source files that they were learned for, without data and without libtorch: the model that the run
/// merged, to the byte. A few filters are in memory at a time.
/// </summary>
internal sealed class KernelWeightMerger : IDisposable
{
    /// <summary>What messages call the file of kernel weights.</summary>
    public const string FileKind = "file of kernel weights";

    private readonly LearnedKernelWeights _learned;
    private readonly ParallelOptions _parallel;
    private readonly List<ModelFile> _files = [];
    private readonly IReadOnlyDictionary<string, StoredTensor>[] _sources;
    private readonly byte[] _header;
    private readonly Dictionary<string, long> _offsets = new(StringComparer.Ordinal);

    /// <summary>Opens the sources' files, reads them once, and checks that they are what the kernel weights were learned for.</summary>
    /// <param name="files">By name, in any order.</param>
    /// <param name="threads">At most so many at a time; their number changes no byte.</param>
    /// <exception cref="InputException">
    /// A file is missing or damaged, or a source is not the one that the weights were learned for.
    /// </exception>
    public KernelWeightMerger(
        LearnedKernelWeights learned,
        IReadOnlyList<SourceFile> files,
        int threads,
        CancellationToken cancellation)
    {
        _learned = learned;
        _parallel = new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellation };
        if (files.FirstOrDefault(file => learned.Sources.All(source => source.Name != file.Name)) is { } unknown)
        {
            var names = string.Join(", ", learned.Sources.Select(source => source.Name));
            throw new InputException($"There is no source '{unknown.Name}' among those that the kernel weights belong to: {names}.");
        }
        try
        {
            var paths = learned.Sources.Select(source => FindPath(source, files)).ToList();
            foreach (var path in paths) _files.Add(ModelFile.Open(path));
            var notes = new string?[paths.Count];
            _sources = new IReadOnlyDictionary<string, StoredTensor>[paths.Count];
            ParallelLoop.Run(paths.Count, _parallel, i => Find((int)i));
            Notes = [.. notes.OfType<string>()];

            void Find(int i) => (_sources[i], notes[i]) = FindModel(learned.Sources[i], _files[i], paths[i]);
        }
        catch
        {
            Dispose();
            throw;
        }

        var tensors = ListTensors().ToList();
        _header = SafetensorsHeader.Write(tensors, ModelMetadata.Of(learned.Architecture, learned.Signature));
        Length = _header.Length;
        foreach (var (name, type, shape) in tensors)
        {
            _offsets.Add(name, Length);
            Length += type.Size * shape.Aggregate(1L, (product, size) => product * size);
        }
    }

    /// <summary>What was detected while reading the sources, one sentence each.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>The merged file's bytes.</summary>
    public long Length { get; }

    /// <summary>Writes the merged model's safetensors file.</summary>
    /// <param name="write">Takes bytes at an offset from the file's start; several threads call it.</param>
    /// <exception cref="InputException">A folded value is beyond float32, or a file became shorter.</exception>
    public void Write(Action<long, ReadOnlySpan<byte>> write)
    {
        write(0, _header);
        var architecture = _learned.Architecture;
        ParallelLoop.Run(architecture.Layers.Count, _parallel, l => WriteLayer((int)l));
        foreach (var name in ClassifierNames) WriteWhole(name, _learned.TargetTensors[name].Values);

        void WriteLayer(int l)
        {
            var layer = architecture.Layers[l];
            var fold = new LayerFold(_learned, l, _sources);
            var scale = layer.Weight is { } weight
                ? fold.WriteFilters((first, values) => WriteAt(weight, first, values), _parallel)
                : fold.FoldScales();
            float[] FindTarget(string name) => _learned.TargetTensors[name].Values;
            var restored = _learned.BatchNorm == BatchNormPolicy.Mix
                ? layer.Join(scale, fold.FoldBiases(), fold.FoldGammas(), FindTarget)
                : layer.Restore(scale, fold.FoldBiases(), FindTarget);
            foreach (var (name, values) in restored) WriteWhole(name, values);
            if (layer.Norm is not { } norm) return;
            write(_offsets[norm.BatchesTracked], new byte[sizeof(long)]);
            // Where the merge was rescaled, its batch norms are those that came of that.
            foreach (var (name, inModel) in ActivationRescaling.NamesOf(norm))
                if (_learned.TargetTensors.TryGetValue(name, out var rescaled)) WriteWhole(inModel, rescaled.Values);
        }

        void WriteWhole(string name, float[] values) => WriteAt(name, 0, values);

        void WriteAt(string name, long first, ReadOnlySpan<float> values) =>
            write(_offsets[name] + (first * sizeof(float)), MemoryMarshal.AsBytes(values));
    }

    /// <inheritdoc />
    public void Dispose() => _files.ForEach(file => file.Dispose());

    private string[] ClassifierNames => [_learned.Architecture.Classifier + ".weight", _learned.Architecture.Classifier + ".bias"];

    private IEnumerable<(string Name, ElementType Type, IReadOnlyList<long> Shape)> ListTensors()
    {
        var single = ElementType.Of<float>();
        foreach (var layer in _learned.Architecture.Layers)
        {
            foreach (var (name, shape) in layer.Tensors) yield return (name, single, shape);
            if (layer.Norm is { } norm) yield return (norm.BatchesTracked, ElementType.Of<long>(), []);
        }
        foreach (var name in ClassifierNames) yield return (name, single, _learned.TargetTensors[name].Shape);
    }

    private static string FindPath(WeightedSource source, IReadOnlyList<SourceFile> files) =>
        files.FirstOrDefault(file => file.Name == source.Name)?.Path
        ?? throw new InputException($"The kernel weights need the source '{source.Name}', and no file is given for it.");

    /// <summary>The model in a file whose hash the weights name, with what was detected while it was found.</summary>
    private (IReadOnlyDictionary<string, StoredTensor> Tensors, string? Note) FindModel(WeightedSource source, ModelFile file, string path)
    {
        var architecture = _learned.Architecture;
        var origin = $"source '{source.Name}' ('{path}')";
        var hashes = new List<string>();
        foreach (var prefix in ModelImport.FindPrefixes(architecture, file))
        {
            var found = new List<string>();
            var tensors = ModelImport.Find(architecture, file, prefix, origin, found);
            hashes.Add(SourceHash.ComputeChecked(architecture, tensors, origin, _parallel.CancellationToken));
            if (hashes[^1] == source.Sha256)
                return (tensors, found.Count > 0 ? $"source '{source.Name}': {string.Join(", ", found)}" : null);
        }
        throw new InputException(
            $"'{path}' is not the source '{source.Name}' that the weights were learned for: " +
            $"its backbone's hash is {string.Join(" or ", hashes)}, wanted {source.Sha256}.");
    }
}
