using System.Security.Cryptography;
using System.Text.Json.Nodes;
using MedMerge.Tensors;
using Microsoft.Win32.SafeHandles;

namespace MedMerge.Merging.Files;

/// <summary>
/// Merges weight files of the same tensors without data and without libtorch: one tensor after the other, in chunks, so that memory does
/// not grow with the files. Sums are float64. Tensors of other types, such as batch norm's counters, are the first file's.
/// </summary>
internal sealed class WeightFileMerger : IDisposable
{
    /// <summary>The key of the metadata that say how such a file was made.</summary>
    public const string MetadataKey = "medmerge";

    private const string FormatKey = "format";
    private const string PyTorchFormat = "pt";
    private const int HashBuffer = 1 << 18;
    private static readonly string AnyHash = new('0', SHA256.HashSizeInBytes * 2);

    private readonly IReadOnlyList<string> _paths;
    private readonly List<ModelFile> _files = [];
    private readonly FileCombination _combination;

    /// <summary>Opens the files and checks that they hold the same tensors.</summary>
    /// <param name="paths">Safetensors files or PyTorch checkpoints, which are read whole.</param>
    /// <exception cref="InputException">A file is missing, damaged or differs from the first.</exception>
    public WeightFileMerger(IReadOnlyList<string> paths, FileCombination combination)
    {
        _paths = paths;
        _combination = combination;
        try
        {
            foreach (var path in paths) _files.Add(ModelFile.Open(path));
            FileAgreement.Check(_files, paths);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>How many tensors there are.</summary>
    public int Tensors => _files[0].Tensors.Count;

    /// <summary>Writes the merged safetensors file: the same bytes for any number of threads.</summary>
    /// <param name="threads">At most so many at a time, and one more for each file's hash.</param>
    public async Task WriteAsync(SafeFileHandle output, int threads, CancellationToken cancellation)
    {
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var hashing = Task.WhenAll(_paths.Select(path => Task.Run(() => ComputeHashAsync(path, failed.Token), failed.Token)));
        try
        {
            // The header comes first and holds the hashes, which are known last; their length is known.
            var start = WriteStart([.. _paths.Select(_ => AnyHash)]).Length;
            await Task.Run(() => WriteTensors(output, start, threads, cancellation), cancellation).ConfigureAwait(false);
            RandomAccess.Write(output, WriteStart(await hashing.ConfigureAwait(false)), fileOffset: 0);
        }
        catch
        {
            await failed.CancelAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc />
    public void Dispose() => _files.ForEach(file => file.Dispose());

    private void WriteTensors(SafeFileHandle output, long begin, int threads, CancellationToken cancellation)
    {
        var offsets = new long[Tensors];
        for (var i = 0; i < offsets.Length; i++)
        {
            offsets[i] = begin;
            begin += _files[0].Tensors[i].Count * ElementType.Named(_files[0].Tensors[i].Type)!.Size;
        }
        var chunks = new ChunkLoop(threads, cancellation);
        ParallelLoop.Run(offsets.Length, chunks.Options, i => WriteTensor(_files[0].Tensors[(int)i], offsets[i]));

        void WriteTensor(StoredTensor tensor, long at)
        {
            if (tensor.IsFloat)
            {
                var sources = new SourceTensors([.. _files.Select(file => file.Find(tensor.Name)!)], chunks);
                sources.WriteSum(_combination.GetCoefficients(sources), Write);
            }
            else
            {
                Copy(tensor, chunks, Write);
            }

            void Write(long offset, ReadOnlySpan<byte> bytes) => RandomAccess.Write(output, bytes, at + offset);
        }
    }

    private static void Copy(StoredTensor tensor, ChunkLoop chunks, Action<long, ReadOnlySpan<byte>> write)
    {
        var size = ElementType.Named(tensor.Type)!.Size;
        var read = tensor.Open();
        chunks.Run(tensor.Count, (first, length, buffers) =>
        {
            var bytes = buffers.Bytes.AsSpan(0, length * size);
            read(first * size, bytes);
            write(first * size, bytes);
        });
    }

    private byte[] WriteStart(IReadOnlyList<string> hashes)
    {
        var tensors = _files[0].Tensors.Select(tensor => (tensor.Name, ElementType.Named(tensor.Type)!, tensor.Shape));
        return SafetensorsHeader.Write(tensors, GetMetadata(hashes));
    }

    /// <summary>What all files say of themselves, and how this one is made.</summary>
    private Dictionary<string, string> GetMetadata(IReadOnlyList<string> hashes)
    {
        var shared = _files[0].Metadata.Where(pair => _files.All(file => file.Metadata.GetValueOrDefault(pair.Key) == pair.Value));
        var metadata = new Dictionary<string, string>(shared);
        if (_files.All(file => !file.Metadata.ContainsKey(FormatKey))) metadata[FormatKey] = PyTorchFormat;
        var record = new JsonObject
        {
            ["command"] = _combination.Command,
            ["version"] = ProductVersion.Current,
            ["sources"] = new JsonArray([.. _paths.Zip(hashes, DescribeSource)]),
        };
        _combination.Describe(record);
        metadata[MetadataKey] = record.ToJsonString();
        return metadata;

        static JsonNode DescribeSource(string path, string hash) => new JsonObject
        {
            ["file"] = Path.GetFileName(path),
            ["sha256"] = hash,
        };
    }

    private static async Task<string> ComputeHashAsync(string path, CancellationToken cancellation)
    {
        var file = new FileStream(InputFile.Open(path, ModelFile.Kind), FileAccess.Read, HashBuffer);
        await using (file.ConfigureAwait(false)) return await ContentHash.OfAsync(file, cancellation).ConfigureAwait(false);
    }
}
