using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using MedMerge.Data.Catalogue;
using MedMerge.Storage;

namespace MedMerge.Cli.Downloads;

/// <summary>
/// What there is of a file, as <c>NAME.partial</c> beside its final name, which it gets only when it is whole. It stays for the next try
/// where this one fails; <c>NAME.partial.from</c> says which version of the file it is of, and which process works on it.
/// One process at a time can open it.
/// </summary>
internal sealed class PartialFile : IDisposable
{
    private const string Suffix = ".partial";
    private const string NoteSuffix = ".from";
    private const int BlockBytes = 1 << 20;

    private readonly string _target;
    private readonly FileStream _stream;
    private readonly FileHash _hash;
    private IncrementalHash _digits;

    private PartialFile(string target, FileStream stream, FileHash hash)
    {
        _target = target;
        _stream = stream;
        _hash = hash;
        _digits = hash.Start();
    }

    /// <summary>Bytes that are there.</summary>
    public long Length { get; private set; }

    /// <summary>Whether some of it is from an earlier try, of another process.</summary>
    public bool HasOlderBytes { get; private set; }

    /// <summary>The server's ETag or date of the version that it is of; null where it gave none.</summary>
    public string? Version { get; private set; }

    /// <summary>The hash of what is there, in lower-case hexadecimal.</summary>
    public string Digits => Convert.ToHexStringLower(_digits.GetCurrentHash());

    /// <summary>Its path for a file's.</summary>
    public static string GetPath(string target) => target + Suffix;

    /// <summary>Opens what an earlier try left, and hashes it; or starts anew.</summary>
    /// <param name="target">The final path, in a folder that exists.</param>
    /// <exception cref="InputException">Another process has it open, or it can't be written to.</exception>
    public static async Task<PartialFile> OpenAsync(string target, FileHash hash, CancellationToken cancellation)
    {
        var partial = new PartialFile(target, Open(target), hash);
        try
        {
            (_, partial.Version) = ReadNote(target);
            await partial.HashAsync(cancellation);
            partial.HasOlderBytes = partial.Length > 0;
            partial.WriteNote();
            return partial;
        }
        catch
        {
            partial.Dispose();
            throw;
        }
    }

    /// <summary>Throws away what is there.</summary>
    public void Restart()
    {
        _stream.SetLength(0);
        _digits.Dispose();
        _digits = _hash.Start();
        Length = 0;
        HasOlderBytes = false;
        SetVersion(null);
    }

    /// <summary>Remembers of which version of the server's file what follows is.</summary>
    public void SetVersion(string? version)
    {
        if (version == Version) return;
        Version = version;
        WriteNote();
    }

    /// <summary>Adds a block.</summary>
    /// <exception cref="DiskException">The disk is full or read-only.</exception>
    /// <exception cref="DownloadException">It can't be written for another reason.</exception>
    public async Task AppendAsync(ReadOnlyMemory<byte> block, CancellationToken cancellation)
    {
        try
        {
            await _stream.WriteAsync(block, cancellation);
        }
        catch (IOException error)
        {
            throw Describe(error);
        }
        _digits.AppendData(block.Span);
        Length += block.Length;
    }

    /// <summary>Gives the file its final name, in place of another of that name.</summary>
    /// <exception cref="DiskException">The disk is full or read-only.</exception>
    /// <exception cref="DownloadException">It can't be written for another reason.</exception>
    public void Publish()
    {
        try
        {
            _stream.Flush(flushToDisk: true);
            File.Move(GetPath(_target), _target, overwrite: true); // while it is open, so that no other process takes it for its own
            File.Delete(GetNotePath(_target));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Describe(error);
        }
    }

    /// <summary>Closes it; where nothing is in it, nothing is left behind.</summary>
    public void Dispose()
    {
        if (Length == 0 && _stream.Length == 0)
        {
            File.Delete(GetPath(_target));
            File.Delete(GetNotePath(_target));
        }
        _stream.Dispose();
        _digits.Dispose();
    }

    private static FileStream Open(string target)
    {
        var path = GetPath(target);
        try
        {
            return new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                // Either is exclusive; on Windows a file that is open can be renamed only where its deletion is shared.
                Share = OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None,
                BufferSize = 0,
                Options = FileOptions.Asynchronous,
            });
        }
        catch (UnauthorizedAccessException error)
        {
            throw new InputException($"'{path}' can't be written to: {error.Message}", error);
        }
        catch (IOException error) when (DiskException.IsReason(error))
        {
            throw DiskException.Of(path, error);
        }
        catch (IOException error)
        {
            var process = ReadNote(target).Process is { } id ? $"Process {id}" : "Another process";
            throw new InputException($"{process} is downloading '{target}' now. Wait until it ends.", error);
        }
    }

    private async Task HashAsync(CancellationToken cancellation)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BlockBytes);
        try
        {
            int count;
            while ((count = await _stream.ReadAsync(buffer, cancellation)) > 0)
            {
                _digits.AppendData(buffer.AsSpan(0, count));
                Length += count;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static string GetNotePath(string target) => GetPath(target) + NoteSuffix;

    private static (int? Process, string? Version) ReadNote(string target)
    {
        try
        {
            var lines = File.ReadAllLines(GetNotePath(target));
            var process = lines.Length > 0 && int.TryParse(lines[0], CultureInfo.InvariantCulture, out var id) ? id : (int?)null;
            return (process, lines.Length > 1 && lines[1].Length > 0 ? lines[1] : null);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return (null, null); // nothing depends on it: the file's hash is checked in the end
        }
    }

    private void WriteNote()
    {
        try
        {
            File.WriteAllText(GetNotePath(_target), string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}\n{Version}\n"));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Describe(error);
        }
    }

    private Exception Describe(Exception error) => error is IOException problem && DiskException.IsReason(problem)
        ? DiskException.Of(GetPath(_target), problem)
        : new DownloadException($"'{GetPath(_target)}' can't be written: {error.Message}", error);
}
