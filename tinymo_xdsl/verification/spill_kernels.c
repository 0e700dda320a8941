/*
 * TINYMO_SPILL and TINYMO_RELOAD for the Python packages of TFLite Micro and LiteRT, to run spilled models on a computer.
 * Built when a model needs it. Applications on microcontrollers use runtime/tflm instead.
 *
 *   cc -std=c11 -O2 -shared -fPIC -o libspill.so spill_kernels.c
 *
 * TFLite Micro looks up `tinymo_register_spills` by its name, LiteRT loads the library as an external delegate. Neither
 * package comes with headers, so the parts of their structures that are read are declared here: for LiteRT those of its
 * stable C interface, for TFLite Micro those of the one version that this project asks for. What can be checked before
 * it is used is checked.
 *
 * The format of the custom options is told in flatbuffer/spills.py.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OK = 0, ERROR = 1 };

static int fail(const char *message) {
  fprintf(stderr, "%s\n", message);
  return ERROR;
}

/* Places in secondary memories. */

enum { VERSION = 1, HEADER = 16, LONGEST_NAME = 255, MEMORIES = 16, POISON = 0xA5 };

typedef struct {
  char name[LONGEST_NAME + 1];
  uint32_t offset, size, storage;
} Place;

typedef struct {
  char name[LONGEST_NAME + 1];
  uint8_t *data;
  uint32_t size;
} Memory;

static Memory memories[MEMORIES];

static uint32_t number(const uint8_t *bytes) {
  return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static bool read_place(const void *options, size_t length, Place *place) {
  const uint8_t *bytes = options;
  if (bytes == NULL || length <= HEADER || bytes[0] != VERSION || bytes[1] != length - HEADER) {
    return false;
  }
  memset(place->name, 0, sizeof place->name);
  memcpy(place->name, bytes + HEADER, bytes[1]);
  place->offset = number(bytes + 4);
  place->size = number(bytes + 8);
  place->storage = number(bytes + 12);
  return (uint64_t)place->offset + place->size <= place->storage;
}

/* The storage of a memory, poisoned where nothing was spilled yet. */
static uint8_t *storage_of(const Place *place) {
  for (Memory *memory = memories; memory < memories + MEMORIES; memory++) {
    if (memory->data != NULL && strcmp(memory->name, place->name) != 0) {
      continue;
    }
    if (memory->size < place->storage) {
      uint8_t *data = realloc(memory->data, place->storage);
      if (data == NULL) {
        return NULL;
      }
      memset(data + memory->size, POISON, place->storage - memory->size);
      memory->data = data;
      memory->size = place->storage;
      strcpy(memory->name, place->name);
    }
    return memory->data;
  }
  return NULL;
}

/* What the token of a place holds: a reload whose token was overwritten finds out. */
static int32_t token_of(const Place *place) { return (int32_t)(place->offset ^ 0x54534D54u); }

static int spill(const Place *place, const void *source, size_t size) {
  uint8_t *storage = storage_of(place);
  if (storage == NULL || size != place->size) {
    return fail("TINYMO_SPILL: the tensor does not fit its place");
  }
  memcpy(storage + place->offset, source, size);
  return OK;
}

static int reload(const Place *place, void *result, size_t size) {
  uint8_t *storage = storage_of(place);
  if (storage == NULL || size != place->size) {
    return fail("TINYMO_RELOAD: the tensor does not fit its place");
  }
  memcpy(result, storage + place->offset, size);
  return OK;
}

/* What both engines have in common. */

typedef struct {
  int size;
  int data[];
} IntArray;

struct Context;
static const char SPILL[] = "TINYMO_SPILL", RELOAD[] = "TINYMO_RELOAD";

/* TFLite Micro. */

typedef struct {
  IntArray *inputs, *outputs, *intermediates;
  void *user_data, *builtin_data;
  const void *custom_initial_data;
  int custom_initial_data_size;
} MicroNode;

typedef struct {
  void *data;
  IntArray *dims;
  int type;
} EvalTensor;

typedef struct {
  void *(*init)(struct Context *, const char *, size_t);
  void (*free)(struct Context *, void *);
  int (*prepare)(struct Context *, MicroNode *);
  int (*invoke)(struct Context *, MicroNode *);
  void (*reset)(struct Context *, void *);
  int32_t builtin_code;
  const char *custom_name;
} MicroRegistration;

enum { RESOLVER_SIZE = 200, FEWEST_OPERATORS = 50, ABS = 101, CUSTOM = 32 };

/* PythonOpsResolver, a MicroMutableOpResolver<200>. */
typedef struct {
  void *functions;
  MicroRegistration registrations[RESOLVER_SIZE];
  unsigned length;
} Resolver;

static EvalTensor *(*eval_tensor)(const struct Context *, int);

/* Tensors have as many bytes as their place says: the model's verifier has compared them. */
static int micro_prepare(struct Context *context, MicroNode *node) {
  Place place;
  (void)context;
  bool is_known = read_place(node->custom_initial_data, (size_t)node->custom_initial_data_size, &place);
  if (!is_known || node->inputs->size != 1 || node->outputs->size != 1) {
    return fail("TINYMO_SPILL or TINYMO_RELOAD: the custom options are of another version");
  }
  return OK;
}

static void micro_operands(struct Context *context, MicroNode *node, Place *place, EvalTensor **in, EvalTensor **out) {
  read_place(node->custom_initial_data, (size_t)node->custom_initial_data_size, place);
  *in = eval_tensor(context, node->inputs->data[0]);
  *out = eval_tensor(context, node->outputs->data[0]);
}

static int micro_spill(struct Context *context, MicroNode *node) {
  Place place;
  EvalTensor *source, *token;
  micro_operands(context, node, &place, &source, &token);
  *(int32_t *)token->data = token_of(&place);
  return spill(&place, source->data, place.size);
}

static int micro_reload(struct Context *context, MicroNode *node) {
  Place place;
  EvalTensor *token, *result;
  micro_operands(context, node, &place, &token, &result);
  if (*(int32_t *)token->data != token_of(&place)) {
    return fail("TINYMO_RELOAD: the token was overwritten");
  }
  return reload(&place, result->data, place.size);
}

static bool add_custom(Resolver *resolver, const char *name, int (*invoke)(struct Context *, MicroNode *)) {
  if (resolver->length >= RESOLVER_SIZE) {
    return false;
  }
  resolver->registrations[resolver->length++] =
      (MicroRegistration){.prepare = micro_prepare, .invoke = invoke, .builtin_code = CUSTOM, .custom_name = name};
  return true;
}

/* Adds both operators to the resolver that TFLite Micro's package has made for an interpreter. */
bool tinymo_register_spills(Resolver *resolver) {
  Dl_info library;
  if (resolver->length < FEWEST_OPERATORS || resolver->length > RESOLVER_SIZE ||
      resolver->registrations[0].builtin_code != ABS || !dladdr(resolver->functions, &library)) {
    fail("this version of the package tflite-micro is not known: install the one that the extra 'verify' asks for");
    return false;
  }
  void *runtime = dlopen(library.dli_fname, RTLD_NOW | RTLD_NOLOAD);
  void *found = runtime == NULL
                    ? NULL
                    : dlsym(runtime, "_ZN6tflite5micro25MicroContextGetEvalTensorEPKNS0_13TfLiteContextEi");
  if (found == NULL) {
    fail("the package tflite-micro does not export what custom operators need");
    return false;
  }
  memcpy(&eval_tensor, &found, sizeof found);
  return add_custom(resolver, SPILL, micro_spill) && add_custom(resolver, RELOAD, micro_reload);
}

/* LiteRT: a delegate that takes both operators. */

typedef struct {
  int type;
  void *data;
  IntArray *dims;
  struct {
    float scale;
    int32_t zero_point;
  } params;
  int allocation_type;
  size_t bytes;
  /* More follows. */
} TensorHead;

/* The first and only the first members: tensors are elements of an array, so their size has to be known. */
typedef struct {
  TensorHead head;
  const void *allocation;
  const char *name;
  void *delegate;
  int buffer_handle;
  bool data_is_stale, is_variable;
  struct {
    int type;
    void *params;
  } quantization;
  void *sparsity;
  const IntArray *dims_signature;
} Tensor;

typedef struct {
  IntArray *inputs, *outputs, *intermediates, *temporaries;
  void *user_data, *builtin_data;
  const void *custom_initial_data;
  int custom_initial_data_size;
  void *delegate;
  bool might_have_side_effect;
} Node;

typedef struct {
  void *(*init)(struct Context *, const char *, size_t);
  void (*free)(struct Context *, void *);
  int (*prepare)(struct Context *, Node *);
  int (*invoke)(struct Context *, Node *);
  const char *(*profiling_string)(const struct Context *, const Node *);
  int32_t builtin_code;
  const char *custom_name;
  int version;
  void *registration_external, *async_kernel;
  uint64_t inplace_operator;
} Registration;

struct Delegate;

typedef struct Context {
  size_t tensors_size;
  int (*GetExecutionPlan)(struct Context *, IntArray **);
  Tensor *tensors;
  void *impl;
  int (*ResizeTensor)(struct Context *, Tensor *, IntArray *);
  void (*ReportError)(struct Context *, const char *, ...);
  int (*AddTensors)(struct Context *, int, int *);
  int (*GetNodeAndRegistration)(struct Context *, int, Node **, Registration **);
  int (*ReplaceNodeSubsetsWithDelegateKernels)(struct Context *, Registration, const IntArray *, struct Delegate *);
  /* More follows. */
} Context;

typedef struct Delegate {
  void *data;
  int (*Prepare)(Context *, struct Delegate *);
  void *CopyFromBufferHandle, *CopyToBufferHandle, *FreeBufferHandle;
  int64_t flags;
  void *opaque_delegate_builder;
} Delegate;

typedef struct {
  Delegate *delegate;
  IntArray *nodes_to_replace, *input_tensors, *output_tensors;
} DelegateParams;

enum { ALLOW_DYNAMIC_TENSORS = 1 };

typedef struct {
  bool is_spill;
  int input, output;
  Place place;
} Copy;

/* The operators of one partition of the model, in order. */
typedef struct {
  int length;
  Copy copies[];
} Partition;

static bool is_ours(const Registration *registration) {
  const char *name = registration->custom_name;
  return name != NULL && (strcmp(name, SPILL) == 0 || strcmp(name, RELOAD) == 0);
}

static bool read_copy(Context *context, int index, Copy *copy) {
  Node *node;
  Registration *registration;
  if (context->GetNodeAndRegistration(context, index, &node, &registration) != OK || node->inputs->size != 1 ||
      node->outputs->size != 1) {
    return false;
  }
  copy->is_spill = strcmp(registration->custom_name, SPILL) == 0;
  copy->input = node->inputs->data[0];
  copy->output = node->outputs->data[0];
  return read_place(node->custom_initial_data, (size_t)node->custom_initial_data_size, &copy->place);
}

static void *partition_init(Context *context, const char *buffer, size_t length) {
  (void)length;
  const IntArray *nodes = ((const DelegateParams *)(const void *)buffer)->nodes_to_replace;
  Partition *partition = calloc(1, sizeof *partition + (size_t)nodes->size * sizeof(Copy));
  for (int at = 0; partition != NULL && at < nodes->size; at++) {
    if (!read_copy(context, nodes->data[at], &partition->copies[partition->length++])) {
      free(partition);
      return NULL;
    }
  }
  return partition;
}

static void partition_free(Context *context, void *partition) {
  (void)context;
  free(partition);
}

static int partition_prepare(Context *context, Node *node) {
  (void)context;
  return node->user_data != NULL ? OK : fail("TINYMO_SPILL or TINYMO_RELOAD: the custom options are of another version");
}

static int partition_invoke(Context *context, Node *node) {
  const Partition *partition = node->user_data;
  for (const Copy *copy = partition->copies; copy < partition->copies + partition->length; copy++) {
    TensorHead *input = &context->tensors[copy->input].head, *output = &context->tensors[copy->output].head;
    /* A token that both operators of a partition share has no memory. */
    TensorHead *token = copy->is_spill ? output : input;
    if (token->data != NULL && copy->is_spill) {
      *(int32_t *)token->data = token_of(&copy->place);
    } else if (token->data != NULL && *(int32_t *)token->data != token_of(&copy->place)) {
      return fail("TINYMO_RELOAD: the token was overwritten");
    }
    int status = copy->is_spill ? spill(&copy->place, input->data, input->bytes)
                                : reload(&copy->place, output->data, output->bytes);
    if (status != OK) {
      return status;
    }
  }
  return OK;
}

static int delegate_prepare(Context *context, Delegate *delegate) {
  IntArray *plan;
  if (context->GetExecutionPlan(context, &plan) != OK) {
    return ERROR;
  }
  IntArray *ours = malloc(sizeof *ours + (size_t)plan->size * sizeof ours->data[0]);
  if (ours == NULL) {
    return ERROR;
  }
  ours->size = 0;
  for (int at = 0; at < plan->size; at++) {
    Node *node;
    Registration *registration;
    if (context->GetNodeAndRegistration(context, plan->data[at], &node, &registration) == OK &&
        is_ours(registration)) {
      ours->data[ours->size++] = plan->data[at];
    }
  }
  Registration kernel = {.init = partition_init,
                         .free = partition_free,
                         .prepare = partition_prepare,
                         .invoke = partition_invoke,
                         .custom_name = "TinyMoSpills",
                         .version = 1};
  int status = ours->size == 0 ? OK : context->ReplaceNodeSubsetsWithDelegateKernels(context, kernel, ours, delegate);
  free(ours);
  return status;
}

/* What LiteRT calls in a library of a delegate. */
Delegate *tflite_plugin_create_delegate(const char *const *keys, const char *const *values, size_t count,
                                        void (*report)(const char *)) {
  (void)keys, (void)values, (void)count, (void)report;
  Delegate *delegate = calloc(1, sizeof *delegate);
  if (delegate != NULL) {
    delegate->Prepare = delegate_prepare;
    /* Without it LiteRT prepares custom operators before it asks the delegate, and does not know them. */
    delegate->flags = ALLOW_DYNAMIC_TENSORS;
  }
  return delegate;
}

void tflite_plugin_destroy_delegate(Delegate *delegate) { free(delegate); }
