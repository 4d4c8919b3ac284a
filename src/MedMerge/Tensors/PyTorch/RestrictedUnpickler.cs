using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace MedMerge.Tensors.PyTorch;

/// <summary>
/// Runs the pickle instructions that tensors and plain containers need (protocols 2 to 5, as <c>torch.save</c> writes them) and refuses
/// every other one by name. It calls nothing: a global is a name, and only those in <see cref="Allowed"/> mean anything. What would be made
/// by any other is a <see cref="PickledUnknown"/>. Instructions as in CPython's Lib/pickletools.py.
/// </summary>
internal sealed class RestrictedUnpickler(Stream stream)
{
    /// <summary>Globals that mean something; storages stand for their element type's safetensors name.</summary>
    public static IReadOnlyDictionary<string, string?> Allowed { get; } = new Dictionary<string, string?>
    {
        ["collections OrderedDict"] = null,
        ["torch._utils _rebuild_tensor"] = null,
        ["torch._utils _rebuild_tensor_v2"] = null,
        ["torch._utils _rebuild_parameter"] = null,
        ["torch._utils _rebuild_parameter_with_state"] = null,
        ["torch Size"] = null,
        ["torch DoubleStorage"] = "F64",
        ["torch FloatStorage"] = "F32",
        ["torch HalfStorage"] = "F16",
        ["torch BFloat16Storage"] = "BF16",
        ["torch LongStorage"] = "I64",
        ["torch IntStorage"] = "I32",
        ["torch ShortStorage"] = "I16",
        ["torch CharStorage"] = "I8",
        ["torch ByteStorage"] = "U8",
        ["torch BoolStorage"] = "BOOL",
    };

    private const int MaxBytesAtOnce = 64 << 20; // a name or a number longer than that is no checkpoint
    private const int MaxShownName = 100;

    private readonly List<object?> _stack = [];
    private readonly Stack<int> _marks = new();
    private readonly Dictionary<long, object?> _memo = [];
    private readonly Dictionary<string, PickledStorage> _storages = [];

    /// <summary>Every storage that the pickle refers to, by key.</summary>
    public IReadOnlyDictionary<string, PickledStorage> Storages => _storages;

    /// <summary>Reads one pickle from the stream's position; the stream is left right behind it.</summary>
    /// <exception cref="FormatException">The pickle is torn or asks for what is not allowed; the message names it.</exception>
    public object? Load()
    {
        while (true)
        {
            var code = (char)Byte();
            if (code == '.') return Pop();
            Execute(code);
        }
    }

    private void Execute(char code)
    {
        switch (code)
        {
            case '\x80': Byte(); break;                                   // PROTO
            case '\x95': Bytes(8); break;                                 // FRAME
            case '(': _marks.Push(_stack.Count); break;                   // MARK
            case '0': Pop(); break;                                       // POP
            case '1': PopToMark(); break;                                 // POP_MARK
            case '2': Push(Peek()); break;                                // DUP
            case 'N': Push(null); break;                                  // NONE
            case '\x88': Push(true); break;                               // NEWTRUE
            case '\x89': Push(false); break;                              // NEWFALSE
            case 'K': Push((long)Byte()); break;                          // BININT1
            case 'M': Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Bytes(2))); break; // BININT2
            case 'J': Push((long)Int32()); break;                         // BININT
            case '\x8a': Push(Long(Byte())); break;                       // LONG1
            case '\x8b': Push(Long(Int32())); break;                      // LONG4
            case 'G': Push(BinaryPrimitives.ReadDoubleBigEndian(Bytes(8))); break; // BINFLOAT
            case 'X': Push(Text(Int32())); break;                         // BINUNICODE
            case '\x8c': Push(Text(Byte())); break;                       // SHORT_BINUNICODE
            case '\x8d': Push(Text(Length64())); break;                   // BINUNICODE8
            case 'U': Push(Text(Byte())); break;                          // SHORT_BINSTRING (Python 2)
            case 'T': Push(Text(Int32())); break;                         // BINSTRING (Python 2)
            case 'C': Push(Bytes(Byte()).ToArray()); break;               // SHORT_BINBYTES
            case 'B': Push(Bytes(Int32()).ToArray()); break;              // BINBYTES
            case '\x8e' or '\x96': Push(Bytes(Length64()).ToArray()); break; // BINBYTES8, BYTEARRAY8
            case '}': Push(new PickledDictionary()); break;               // EMPTY_DICT
            case ']': Push(new List<object?>()); break;                   // EMPTY_LIST
            case '\x8f': Push(new List<object?>()); break;                // EMPTY_SET
            case '\x91': Push(PopToMark()); break;                        // FROZENSET
            case ')': Push(Array.Empty<object?>()); break;                // EMPTY_TUPLE
            case 't': Push(PopToMark()); break;                           // TUPLE
            case '\x85': Push(PopMany(1)); break;                         // TUPLE1
            case '\x86': Push(PopMany(2)); break;                         // TUPLE2
            case '\x87': Push(PopMany(3)); break;                         // TUPLE3
            case 'a': Append([Pop()]); break;                             // APPEND
            case 'e' or '\x90': Append(PopToMark()); break;               // APPENDS, ADDITEMS
            case 's': SetItems(PopMany(2)); break;                        // SETITEM
            case 'u': SetItems(PopToMark()); break;                       // SETITEMS
            case 'q': _memo[Byte()] = Peek(); break;                      // BINPUT
            case 'r': _memo[Int32()] = Peek(); break;                     // LONG_BINPUT
            case '\x94': _memo[_memo.Count] = Peek(); break;              // MEMOIZE
            case 'h': Push(Memo(Byte())); break;                          // BINGET
            case 'j': Push(Memo(Int32())); break;                         // LONG_BINGET
            case 'c': Push(Global($"{Line()} {Line()}")); break;          // GLOBAL
            case '\x93':                                                  // STACK_GLOBAL
                var names = PopMany(2);
                Push(Global($"{names[0]} {names[1]}"));
                break;
            case 'Q': Push(Storage(Pop())); break;                        // BINPERSID
            case 'R' or '\x81': Reduce(); break;                          // REDUCE, NEWOBJ
            case '\x92':                                                  // NEWOBJ_EX
                Pop();
                Reduce();
                break;
            case 'b': Build(); break;                                     // BUILD
            default:
                throw new FormatException(char.IsAsciiLetterOrDigit(code)
                    ? $"the pickle instruction '{code}' is refused: only tensors and plain containers are read"
                    : $"the pickle instruction 0x{(int)code:x2} is refused: only tensors and plain containers are read");
        }
    }

    private static object Global(string name) => Allowed.ContainsKey(name) ? new PickledGlobal(name) : new PickledUnknown(Shown(name));

    /// <summary>A name as messages show it: dotted, of bounded length, without characters that a terminal obeys.</summary>
    private static string Shown(string name)
    {
        var start = name.Length > MaxShownName ? name[..MaxShownName] + "…" : name;
        return string.Concat(start.Replace(' ', '.').Select(character => char.IsControl(character) ? '?' : character));
    }

    /// <summary>
    /// Persistent ids are <c>('storage', type, key, location, elements, …)</c>; the old format adds a view, always None here, and may
    /// name a class's source code: <c>('module', class, …)</c>.
    /// </summary>
    private object Storage(object? id)
    {
        if (id is object?[] and ["module", PickledUnknown module, ..]) return module;
        if (id is not object?[] { Length: >= 5 } tuple || tuple is not ["storage", var global, string key, _, long elements, ..])
            throw new FormatException("it refers to something that is not a tensor's storage");
        if (tuple is [_, _, _, _, _, not null, ..])
            throw new FormatException("it holds a view of a storage, a form of PyTorch before 0.4");
        var storage = global switch
        {
            PickledGlobal known when Allowed[known.Name] is { } type => new PickledStorage(key, ElementType.Named(type), type, elements),
            PickledUnknown unknown => new PickledStorage(key, Type: null, unknown.Name, elements),
            _ => throw new FormatException("it refers to something that is not a tensor's storage"),
        };
        if (!_storages.TryAdd(key, storage) && _storages[key] != storage)
            throw new FormatException($"it describes its storage {key} in two ways");
        return storage;
    }

    private void Reduce()
    {
        var arguments = Pop() as object?[] ?? throw new FormatException("a call has no arguments");
        var callee = Pop();
        if (callee is PickledUnknown unknown)
        {
            Push(new PickledUnknown(unknown.Name));
            return;
        }
        var known = callee as PickledGlobal ?? throw new FormatException("it calls something that is not a name");
        Push((known.Name, arguments) switch
        {
            ("collections OrderedDict", []) => new PickledDictionary(),
            ("collections OrderedDict", [List<object?> pairs]) => FromPairs(pairs),
            ("torch Size", [object?[] sizes]) => sizes,
            ("torch._utils _rebuild_tensor" or "torch._utils _rebuild_tensor_v2",
                [PickledStorage storage, long offset, object?[] shape, object?[] strides, ..]) =>
                new PickledTensor(storage, offset, Longs(shape), Longs(strides)),
            ("torch._utils _rebuild_parameter" or "torch._utils _rebuild_parameter_with_state", [PickledTensor tensor, ..]) => tensor,
            ("torch._utils _rebuild_parameter" or "torch._utils _rebuild_parameter_with_state", [PickledUnknown data, ..]) => data,
            _ => throw new FormatException($"it calls '{Shown(known.Name)}' in a way that is not known"),
        });
    }

    /// <summary>An OrderedDict's state is its attributes (<c>_metadata</c> of a state_dict); they carry no tensors.</summary>
    private void Build()
    {
        Pop();
        if (Peek() is PickledDictionary or PickledUnknown) return;
        throw new FormatException("it sets the state of an object that is not a dictionary");
    }

    private static PickledDictionary FromPairs(List<object?> pairs)
    {
        var dictionary = new PickledDictionary();
        foreach (var pair in pairs)
        {
            if (pair is List<object?> { Count: 2 } list) dictionary.Set(list[0], list[1]);
            else if (pair is object?[] { Length: 2 } tuple) dictionary.Set(tuple[0], tuple[1]);
            else throw new FormatException("an OrderedDict's items are not pairs");
        }
        return dictionary;
    }

    private static long[] Longs(object?[] values) =>
        Array.ConvertAll(values, value => value is long number
            ? number
            : throw new FormatException("a tensor's shape is not made of whole numbers"));

    private void Append(object?[] values)
    {
        if (Peek() is PickledUnknown) return;
        if (Peek() is not List<object?> list) throw new FormatException("it appends to something that is not a list");
        list.AddRange(values);
    }

    private void SetItems(object?[] values)
    {
        if (Peek() is PickledUnknown) return;
        if (Peek() is not PickledDictionary dictionary) throw new FormatException("it sets items of something that is not a dictionary");
        if (values.Length % 2 != 0) throw new FormatException("a dictionary's items are not pairs");
        for (var i = 0; i < values.Length; i += 2) dictionary.Set(values[i], values[i + 1]);
    }

    private void Push(object? value) => _stack.Add(value);

    private object? Peek() => _stack.Count > 0 ? _stack[^1] : throw new FormatException("the pickle's stack is empty");

    private object? Pop()
    {
        var value = Peek();
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private object?[] PopMany(int count)
    {
        if (_stack.Count < count) throw new FormatException("the pickle's stack is empty");
        var values = _stack.GetRange(_stack.Count - count, count).ToArray();
        _stack.RemoveRange(_stack.Count - count, count);
        return values;
    }

    private object?[] PopToMark()
    {
        if (!_marks.TryPop(out var mark) || mark > _stack.Count) throw new FormatException("the pickle lacks a mark");
        return PopMany(_stack.Count - mark);
    }

    private object? Memo(long key) => _memo.TryGetValue(key, out var value)
        ? value
        : throw new FormatException($"the pickle's memo has no entry {key}");

    private object Long(int length)
    {
        var number = new BigInteger(Bytes(length));
        return number >= long.MinValue && number <= long.MaxValue ? (long)number : number;
    }

    private int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Bytes(4));

    private int Length64()
    {
        var length = BinaryPrimitives.ReadInt64LittleEndian(Bytes(8));
        return length is >= 0 and <= MaxBytesAtOnce ? (int)length : throw new FormatException("a length in the pickle makes no sense");
    }

    private string Text(int length) => Encoding.UTF8.GetString(Bytes(length));

    private string Line()
    {
        var line = new StringBuilder();
        for (var value = Byte(); value != '\n'; value = Byte()) line.Append((char)value);
        return line.ToString();
    }

    private byte Byte()
    {
        var value = stream.ReadByte();
        return value >= 0 ? (byte)value : throw new FormatException("the file ends in the middle of its pickle: it is truncated");
    }

    private ReadOnlySpan<byte> Bytes(int length)
    {
        if (length is < 0 or > MaxBytesAtOnce) throw new FormatException("a length in the pickle makes no sense");
        var bytes = new byte[length];
        if (stream.ReadAtLeast(bytes, length, throwOnEndOfStream: false) < length)
            throw new FormatException("the file ends in the middle of its pickle: it is truncated");
        return bytes;
    }
}
